"""How sure a share is: exact binomial intervals (Clopper and Pearson 1934), and bootstrap over whole families.

Names of one family are no independent draws: what varies from one malware to the next is the family, so means over
families are drawn again family by family.
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

LEVEL = 0.95
SEED = 20261121
ROUNDS = 2000


class Share(Struct, frozen=True):
    """So many of so many names, and between which shares the true one lies at 95 %."""

    hits: int
    names: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.hits / self.names if self.names else 0.0


class Spread(Struct, frozen=True):
    """A mean over families, with the interval of its bootstrap."""

    mean: float
    low: float
    high: float


def share(hits: NDArray[np.bool_]) -> Share:
    return share_of(int(np.count_nonzero(hits)), len(hits))


def share_of(hits: int, names: int) -> Share:
    return Share(hits, names, *clopper_pearson(hits, names))


def clopper_pearson(hits: int, names: int, level: float = LEVEL) -> tuple[float, float]:
    """The shares under which so many hits, or more (fewer), are just probable enough."""
    tail = (1 - level) / 2
    low = _quantile(tail, hits, names - hits + 1) if hits else 0.0
    high = _quantile(1 - tail, hits + 1, names - hits) if hits < names else 1.0
    return low, high


def mean_of(families: NDArray[np.float64], rounds: int = ROUNDS) -> list[Spread]:
    """Families × columns → the mean of each column; every family counts the same."""
    dice = np.random.default_rng(SEED)
    drawn = dice.integers(0, len(families), (rounds, len(families)))
    means = families[drawn].mean(axis=1)
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    whole = families.mean(axis=0)
    return [Spread(*map(float, each)) for each in zip(whole, low, high, strict=True)]


def _quantile(wanted: float, a: float, b: float) -> float:
    """Where the beta distribution's share below is `wanted`, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _beta_below(middle, a, b) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_below(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b) (DLMF 8.17.22, on the side where it converges fast)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        + a * math.log(x) + b * math.log1p(-x)
    )  # fmt: skip
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction, by Lentz's method; numerators in the order of DLMF 8.17.23."""
    c, d = 1.0, 1.0 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, 2000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for numerator in (even, odd):
            d = 1.0 / (1 + numerator * d)
            c = 1 + numerator / c
            found *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return found
