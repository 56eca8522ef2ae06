"""Is a probability of 0.9 right nine times of ten, and does a p-value of 1e-3 come once in a thousand benign names?

Both classes weigh the same, as when the temperature was set: in traffic nearly all names are benign.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.evaluation.intervals import Share, share
from namewarden.evaluation.page import between, percent, table
from namewarden.training.measure import Logits

BINS = 15
NOMINAL = (0.1, 1e-2, 1e-3, 1e-4)


class Reliability(Struct, frozen=True):
    """Expected calibration error over bins of equal weight: of all, of those called benign and called generated."""

    error: float
    called_benign: float
    called_generated: float
    brier: float
    worst: float  # the largest gap of a bin


class Calibration(Struct, frozen=True):
    known: Reliability
    unseen: Reliability | None
    coverage: list[Share]  # benign names whose p-value is at or below each NOMINAL


def measure(
    benign: Logits, known: Logits, unseen: Logits, p_values: NDArray[np.float64]
) -> Calibration:
    return Calibration(
        reliability(benign, known),
        reliability(benign, unseen) if len(unseen) else None,
        [share(p_values <= level) for level in NOMINAL],
    )


def reliability(benign: Logits, bad: Logits) -> Reliability:
    probability = 1 / (1 + np.exp(-np.concatenate([benign, bad])))
    truth = np.repeat([0.0, 1.0], [len(benign), len(bad)])
    weights = np.repeat([0.5 / len(benign), 0.5 / len(bad)], [len(benign), len(bad)])
    is_bad = probability >= 0.5
    gaps, sizes = bins(probability, truth, weights)
    return Reliability(
        float(gaps @ sizes),
        _error(probability, truth, weights, ~is_bad),
        _error(probability, truth, weights, is_bad),
        float(np.square(probability - truth) @ weights),
        float(gaps.max()),
    )


def bins(
    probability: NDArray[np.float64],
    truth: NDArray[np.float64],
    weights: NDArray[np.float64],
    most: int = BINS,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """|what was said − what was true| and weight of each of `most` bins that weigh about the same (adaptive)."""
    _, value = np.unique(probability, return_inverse=True)  # equal ones stay together
    heavy = np.bincount(value, weights)
    reached = np.cumsum(heavy) - heavy / 2
    bin_of = np.minimum((reached / weights.sum() * most).astype(int), most - 1)[value]
    sums = [np.bincount(bin_of, it * weights, most) for it in (probability, truth)]
    sizes = np.bincount(bin_of, weights, most)
    filled = sizes > 0
    gaps = np.abs(sums[0] - sums[1])[filled] / sizes[filled]
    return gaps, sizes[filled] / sizes.sum()


def _error(
    probability: NDArray[np.float64],
    truth: NDArray[np.float64],
    weights: NDArray[np.float64],
    here: NDArray[np.bool_],
) -> float:
    if not here.any():
        return 0.0
    gaps, sizes = bins(probability[here], truth[here], weights[here])
    return float(gaps @ sizes)


def p_values(calibration: Logits, logits: Logits) -> NDArray[np.float64]:
    """The share of held-out benign names at least as suspicious (split conformal, of the benign class alone)."""
    ordered = np.sort(calibration)
    above = len(ordered) - np.searchsorted(ordered, logits, "left")
    return np.asarray((1 + above) / (1 + len(ordered)), np.float64)


def show(found: Calibration) -> str:
    groups: Sequence[tuple[str, Reliability | None]] = [
        ("known", found.known),
        ("unseen", found.unseen),
    ]
    rows = [
        [f"benign and {name}", *(f"{each:.4f}" for each in _figures(it))]
        for name, it in groups
        if it
    ]
    head = ["", "ECE", "called benign", "called generated", "worst bin", "Brier"]
    cover = [
        [f"{level:g}", percent(it.rate), between(it.low, it.high)]
        for level, it in zip(NOMINAL, found.coverage, strict=True)
    ]
    return "\n".join(
        [
            table(head, rows),
            "Conformal p-values of benign names that set nothing: the share at or below a level should be the level.\n",
            table(["level", "share at or below", "95 %"], cover),
        ]
    )


def _figures(found: Reliability) -> tuple[float, ...]:
    return found.error, found.called_benign, found.called_generated, found.worst, found.brier
