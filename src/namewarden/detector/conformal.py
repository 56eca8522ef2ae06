"""Conformal p-values: the share of held-out benign names that are at least as suspicious. Reported, decide nothing."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class PValues:
    """From the manifest's calibration: (logit, benign names at or above), rising; kept coarse below the tail, so a
    logit between two steps counts the names of the lower one: never too small."""

    def __init__(self, calibration: Sequence[tuple[float, int]], names: int) -> None:
        self._logits = [at for at, _ in calibration]
        above = [count for _, count in calibration]
        self._at = [(1 + count) / (1 + names) for count in (*above, 0)]
        self._below = [(1 + count) / (1 + names) for count in (above[0], *above[:-1], 0)]
        self._arrays = tuple(np.array(x) for x in (self._logits, self._at, self._below))

    def of(self, logit: float) -> float:
        place = bisect_left(self._logits, logit)
        exact = place < len(self._logits) and self._logits[place] == logit
        return self._at[place] if exact else self._below[place]

    def of_all(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """As `of`, to the last bit."""
        steps, at, below = self._arrays
        places = np.searchsorted(steps, logits)
        exact = steps[np.minimum(places, len(steps) - 1)] == logits
        return np.where(exact, at[places], below[places])
