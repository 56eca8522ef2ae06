"""The completed card: facts, then figures."""

from namewarden.detector.model import Model
from namewarden.evaluation.card import write
from namewarden.training.card import UNMEASURED
from tests.evaluation.figure import measured


def test_the_card_has_facts_and_figures(tmp_path):
    manifest = Model().manifest
    write(tmp_path / "card.md", manifest, 1000, measured())
    card = (tmp_path / "card.md").read_text()
    assert UNMEASURED not in card and manifest.seen in card
    assert card.index("## What was learned from") < card.index("### By family")
