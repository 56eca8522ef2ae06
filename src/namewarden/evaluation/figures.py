"""All that one run measured, as it is kept in JSON; `None` where a part was not measured."""

from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.evaluation.attacks import Found as Attacks
from namewarden.evaluation.bias import Found as Bias
from namewarden.evaluation.buckets import Found as Buckets
from namewarden.evaluation.calibration import Found as Calibration
from namewarden.evaluation.compare import Found as Beside
from namewarden.evaluation.detection import Found as Detection
from namewarden.evaluation.drift import Found as Drift
from namewarden.evaluation.families import Found as Families
from namewarden.evaluation.held_out import Held
from namewarden.evaluation.left_out import Fold
from namewarden.evaluation.marks import Mark
from namewarden.evaluation.network import Layer
from namewarden.evaluation.seed_task import Result
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
    recipe: str = ""  # fitted here; none: a finished model
    learned_from: str = ""  # other names than it was measured on: where they are from


class Figures(Struct, frozen=True):
    about: About
    detection: Detection
    drift: Drift
    buckets: Buckets
    bias: Bias
    calibration: Calibration
    attacks: Attacks | None
    speed: Speed
    network: list[Layer]
    families: Families | None = None
    # Of other runs, so that one page holds all:
    left_out: list[Fold] = []
    seed_task: list[Result] = []
    held: Held | None = None
    registry: list[Mark] = []  # of the recipe that learned from the registry's names alone
    beside: Beside | None = None
    schema: int = SCHEMA


def write(path: Path, figures: Figures) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    part.replace(path)


def read(path: Path) -> Figures:
    return msgspec.json.decode(path.read_bytes(), type=Figures)
