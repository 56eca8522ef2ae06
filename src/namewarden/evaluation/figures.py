"""All that one run measured, as it is kept in JSON; `None` where a part was not measured."""

from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.evaluation.attacks import Found as Attacks
from namewarden.evaluation.bias import Found as Bias
from namewarden.evaluation.buckets import Found as Buckets
from namewarden.evaluation.calibration import Found as Calibration
from namewarden.evaluation.detection import Found as Detection
from namewarden.evaluation.drift import Found as Drift
from namewarden.evaluation.families import Found as Families
from namewarden.evaluation.left_out import Fold
from namewarden.evaluation.network import Layer
from namewarden.evaluation.speed import Found as Speed

SCHEMA = 1


class About(Struct, frozen=True):
    """Of what, where and how it was measured."""

    subject: str
    title: str
    about: str
    made_with: str  # the command
    date: str
    machine: str
    names: str  # where they are from
    quick: bool
    most: int  # names of a family
    learned: tuple[str, ...]
    notes: list[str] = []


class Figures(Struct, frozen=True):
    about: About
    detection: Detection
    drift: Drift
    buckets: Buckets
    bias: Bias
    calibration: Calibration
    attacks: Attacks
    speed: Speed
    network: list[Layer]
    families: Families | None = None
    left_out: list[Fold] = []
    schema: int = SCHEMA


def write(path: Path, figures: Figures) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    part.replace(path)


def read(path: Path) -> Figures:
    return msgspec.json.decode(path.read_bytes(), type=Figures)
