"""Thresholds and rates: what share of benign names lies above a threshold, and of each family.

What training needs of the measurements; all others are in `evaluation/`, which uses these too.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float64]
RATES = (1e-2, 1e-3, 1e-4)
CONFIDENCE = 0.95


def sample(labels: Sequence[str], most: int) -> list[str]:
    """So many labels at even distances: no dice, and of a sorted list every beginning is there."""
    if len(labels) <= most:
        return list(labels)
    return [labels[int(at)] for at in np.linspace(0, len(labels) - 1, most)]


def thresholds(benign: Logits) -> list[float]:
    """For each of RATES the least logit that at most that share of these benign names reaches."""
    rising = np.sort(benign)
    return [_above(rising, int(len(benign) * rate)) for rate in RATES]


def confident(benign: Logits, rate: float) -> float:
    """The least logit that at most this share of all such names reaches, with CONFIDENCE (Clopper and Pearson 1934);
    above them all where these are too few to tell."""
    from scipy.stats import binom

    most = max(int(binom.ppf(1 - CONFIDENCE, len(benign), rate)) - 1, 0)
    return _above(np.sort(benign), most)


def _above(rising: Logits, count: int) -> float:
    """The least logit that no more than `count` of the sorted ones reach."""
    return float(np.nextafter(rising[-1 - min(count, len(rising) - 1)], np.inf))


def rates(logits: Logits, limits: Sequence[float]) -> list[float]:
    """The share of these names at or above each threshold."""
    return [float(np.mean(logits >= limit)) for limit in limits]


def family_mean(families: Mapping[str, Logits], limits: Sequence[float]) -> list[float]:
    """Every family counts the same, however many names it has."""
    each = np.array([rates(logits, limits) for logits in families.values()])
    return [float(rate) for rate in each.mean(axis=0)]


def auc(benign: Logits, bad: Logits) -> float:
    """The chance that a generated name scores above a benign one; ties count half."""
    ordered = np.sort(benign)
    below = np.searchsorted(ordered, bad, "left") + np.searchsorted(ordered, bad, "right")
    return float(below.mean() / 2 / len(ordered))


def _even(bad: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What each name weighs so that both classes weigh the same."""
    each = 0.5 / max(bad.sum(), 1), 0.5 / max((~bad).sum(), 1)
    weights: NDArray[np.float64] = np.where(bad, *each)
    return weights


def centre(logits: Logits, bad: NDArray[np.bool_]) -> float:
    """What to add to the logits so that with the best divisor the log loss is least (Platt 1999), classes as heavy."""
    weights = _even(bad)
    known = np.stack([logits, np.ones(len(logits))])
    slope = np.array([1.0, 0.0])
    for _ in range(50):  # Newton's method on two numbers
        probability = 1.0 / (1.0 + np.exp(-np.clip(slope @ known, -30, 30)))
        curve = (known * weights * np.maximum(probability * (1.0 - probability), 1e-9)) @ known.T
        slope = slope - np.linalg.solve(curve, (known * weights) @ (probability - bad))
    return float(slope[1] / slope[0])


def temperature(logits: Logits, bad: NDArray[np.bool_]) -> float:
    """The divisor of the logits that makes the log loss least (Guo 2017), both classes weighing the same."""
    weights = _even(bad)
    signs = np.where(bad, -1.0, 1.0)

    def loss(divisor: float) -> float:
        return float(np.sum(weights * np.logaddexp(0.0, signs * logits / divisor)))

    return float(min(np.geomspace(0.2, 5.0, 200), key=loss))
