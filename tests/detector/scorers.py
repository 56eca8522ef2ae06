"""A scorer whose answers a test can tell beforehand."""

import threading
from collections.abc import Sequence

from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.model import ModelError
from namewarden.query import Score

LIMITS = Thresholds(1.0, 2.0, 4.0)


class Lengths:
    """The logit is a tenth of the label's length, less 1.5: 63 letters are malicious, ten are benign."""

    model = "0123456789ab"
    thresholds = LIMITS
    is_quick = False

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.broken = False
        self.error: Exception = ModelError("broken by the test")
        self.keeps_back = 0
        self.begun = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def score_batch(self, names: Sequence[str]) -> list[Score]:
        self.begun.set()
        self.go.wait(10)
        self.batches.append(list(names))
        if self.broken:
            raise self.error
        kept = names[self.keeps_back :]
        return [score_of(len(name.partition(".")[0]) / 10 - 1.5) for name in kept]

    def score(self, name: str) -> Score:
        return self.score_batch([name])[0]


def score_of(logit: float) -> Score:
    return Score(probability(logit), logit, band_of(logit, LIMITS), "", Lengths.model, 0.5)
