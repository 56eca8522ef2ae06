"""What a scorer is: names in, a `Score` each out. `tests/detector/conformance.py` is what every one must pass.

A name here is a label, or a label, a dot and the suffix it stands under (`Scorable.judged`). A label holds no dot.
The suffix helps to name the family; all else is said of the label.
"""

from collections.abc import Sequence
from typing import Protocol

from namewarden.detector.bands import Thresholds
from namewarden.query import Score


class Scorer(Protocol):
    """Deterministic; a name's score does not depend on what else is in the batch. ModelError when it cannot."""

    @property
    def model(self) -> str:
        """The first 12 hex digits of the model's digest."""

    @property
    def thresholds(self) -> Thresholds: ...

    @property
    def is_quick(self) -> bool:
        """A name takes some microseconds: it is scored where it is asked about, by no other thread."""

    def score_batch(self, names: Sequence[str]) -> list[Score]: ...

    def score(self, name: str) -> Score:
        """As `score_batch` of this one."""
