"""The card names everything a reader of figures must know."""

from namewarden.detector.model import Model
from namewarden.training.card import Figures, write_card


def test_the_card_says_what_was_measured_and_on_what(tmp_path):
    manifest = Model().manifest
    figures = Figures(
        size=440_000,
        benign_names=71_000,
        false_positives=[0.01, 0.001, 0.0001],
        single_names=90_000,
        single_positives=[0.02, 0.005, 0.001],
        means={"known": [0.9, 0.7, 0.4]},
        families={"known": {"rare": [0.91, 0.71, 0.41]}},
        single=60.0,
        batched=30.0,
        auc=0.99,
    )
    write_card(tmp_path / "card.md", manifest, figures)
    card = (tmp_path / "card.md").read_text()
    for part in (
        manifest.digest[:12],
        "| family mean, known | 90.0 % | 70.0 % | 40.0 % |",
        "| known | rare | 91.0 % | 71.0 % | 41.0 % |",
        "440,000 bytes",
        "2.000 % | 0.500 % | 0.100 %",
        manifest.seen,
        *manifest.families,
        *manifest.unseen_families,
    ):
        assert part in card
