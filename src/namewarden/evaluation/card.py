"""The card of a model, completed: the facts of `training/card.py` with what was measured."""

from pathlib import Path

from namewarden.detector.model import Manifest
from namewarden.evaluation.figures import Figures
from namewarden.evaluation.report import sections
from namewarden.training.card import write_card

LEFT_OUT = frozenset({"The network"})  # in the report; a card is read beside the file itself


def write(path: Path, manifest: Manifest, size: int, figures: Figures) -> None:
    text = "\n".join(
        f"### {title}\n\n{text}" for title, text in sections(figures) if title not in LEFT_OUT
    )
    write_card(path, manifest, size, text.rstrip())
