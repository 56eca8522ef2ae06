"""What a scorer is: labels in, a `Score` each out. `tests/detector/conformance.py` is what every one must pass."""

from collections.abc import Sequence
from typing import Protocol

from namewarden.detector.bands import Thresholds
from namewarden.query import Score


class Scorer(Protocol):
    """Deterministic; a label's score does not depend on what else is in the batch. ModelError when it cannot."""

    @property
    def model(self) -> str:
        """The first 12 hex digits of the model's digest."""

    @property
    def thresholds(self) -> Thresholds: ...

    def score_batch(self, labels: Sequence[str]) -> list[Score]: ...
