"""The card names everything a reader of figures must know."""

import msgspec

from namewarden.detector.model import Model
from namewarden.training.card import ENOUGH, UNMEASURED, write_card
from namewarden.training.measure import CONFIDENCE


def test_the_card_says_what_was_learned_from_and_where_the_thresholds_are(tmp_path):
    manifest = Model().manifest
    write_card(tmp_path / "card.md", manifest, 440_000)
    card = (tmp_path / "card.md").read_text()
    for part in (
        manifest.digest[:12],
        "440,000 bytes",
        f"{manifest.thresholds.one_in_1000:.4f}",
        manifest.seen,
        *manifest.families,
        *manifest.unseen_families,
        UNMEASURED,
    ):
        assert part in card


def test_figures_take_the_place_of_the_line_that_says_there_are_none(tmp_path):
    write_card(tmp_path / "card.md", Model().manifest, 1, "| known | 90.0 % |")
    card = (tmp_path / "card.md").read_text()
    assert card.endswith("| known | 90.0 % |\n")
    assert UNMEASURED not in card


def test_the_card_is_no_surer_of_the_third_threshold_than_its_names_allow(tmp_path):
    many = Model().manifest
    for manifest, said in (
        (many, "confidence of 95 %"),
        (msgspec.structs.replace(many, calibration_names=ENOUGH - 1), "too few to tell"),
    ):
        write_card(tmp_path / "card.md", manifest, 1)
        assert said in (tmp_path / "card.md").read_text()
    assert (1 - 1e-4) ** ENOUGH < 1 - CONFIDENCE < (1 - 1e-4) ** (ENOUGH - 1)
