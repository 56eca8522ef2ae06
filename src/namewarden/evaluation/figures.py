"""All that one run measured, as it is kept in JSON, and the nouns that figures of several runs are put into.

`None` where a part was not measured. What reads figures (`compare.py`, `held_out.py`, `marks.py`) imports this file,
never the other way round.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.evaluation.attacks import Attacks
from namewarden.evaluation.bias import Bias
from namewarden.evaluation.buckets import Buckets
from namewarden.evaluation.calibration import Calibration
from namewarden.evaluation.detection import Detection, FamilyGroup
from namewarden.evaluation.drift import Drift
from namewarden.evaluation.families import FamilyNaming
from namewarden.evaluation.intervals import Share, Spread
from namewarden.evaluation.left_out import Fold
from namewarden.evaluation.network import Layer
from namewarden.evaluation.seed_task import Result
from namewarden.evaluation.speed import Speed

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


class HeldOut(Struct, frozen=True):
    """Families kept away from a recipe: which run, its families, the area of "this family is none I know"."""

    title: str
    groups: dict[str, FamilyGroup]
    unknown: float | None


class ModelMark(Struct, frozen=True):
    """What a model must reach, and what was measured."""

    what: str
    wanted: str
    measured: str
    reached: bool | None  # None: not measured


class Means(Struct, frozen=True):
    """Over so many families."""

    families: int
    found: list[Spread]
    auc: float


class ModelRow(Struct, frozen=True):
    """One model of a comparison."""

    title: str
    groups: dict[str, Means]
    benign: list[Share]  # above each threshold
    single: float  # µs a name
    batched: float
    parameters: int  # 0: it has no layers to count


class Difference(Struct, frozen=True):
    """Ours less the other's, mean over the families of both."""

    ours: str
    other: str
    group: str
    families: int
    found: list[Spread]

    @property
    def beaten(self) -> list[bool]:
        return [spread.low > 0 for spread in self.found]


class Comparison(Struct, frozen=True):
    """Models side by side."""

    models: list[ModelRow]
    differences: list[Difference]


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
    families: FamilyNaming | None = None
    # Of other runs, so that one page holds all:
    left_out: list[Fold] = []
    seed_task: list[Result] = []
    held: HeldOut | None = None
    registry: list[ModelMark] = []  # of the recipe that learned from the registry's names alone
    beside: Comparison | None = None
    schema: int = SCHEMA


def write(path: Path, figures: Figures) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    part.replace(path)


def read(path: Path) -> Figures:
    return msgspec.json.decode(path.read_bytes(), type=Figures)
