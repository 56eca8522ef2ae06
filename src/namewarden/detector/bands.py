"""From a model's logit to probability and band. Pure functions of the logit; thresholds come with the model."""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.query import Band

# Above CALM a calibrated logit grows ever slower and ends at CALM + ROOM. There float64 probabilities still lie
# apart for logits that do, so that the most certain names keep their order: no ties at the top.
CALM = 14.0
ROOM = 6.0


class Thresholds(Struct, frozen=True):
    """Calibrated logits that this share of held-out benign names reaches; at the last, by which names are blocked, no
    more of all such names do, with a confidence of 95 % where there are names enough to tell."""

    one_in_100: float
    one_in_1000: float
    one_in_10000: float


_RISING: tuple[Band, ...] = ("benign", "uncertain", "malicious")


def settle(raw: float, temperature: float) -> float:
    """The calibrated log-odds of a raw logit: divided by the temperature, both ends bounded, order kept."""
    logit = raw / temperature
    size = abs(logit)
    if size <= CALM:
        return logit
    return math.copysign(CALM + ROOM * -math.expm1((CALM - size) / ROOM), logit)


def settle_all(raw: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """As `settle`, to the last bit: a division is the same everywhere, the few that need expm1 get libm's."""
    logits = raw / temperature
    for place in np.flatnonzero(~(np.abs(logits) <= CALM)).tolist():
        logits[place] = settle(float(raw[place]), temperature)
    return logits


def probability(logit: float) -> float:
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)


def band_of(logit: float, limits: Thresholds, burst: bool = False) -> Band:
    """Benign, uncertain or malicious; a client in a burst of failing names is judged a step more strictly."""
    lower, upper = limits.one_in_1000, limits.one_in_10000
    if burst:
        lower, upper = limits.one_in_100, limits.one_in_1000
    if logit < lower:
        return "benign"
    return "uncertain" if logit < upper else "malicious"


def bands_of(logits: NDArray[np.float64], limits: Thresholds) -> list[Band]:
    """As `band_of`, many at once."""
    edges = np.array([limits.one_in_1000, limits.one_in_10000])
    return [_RISING[place] for place in np.searchsorted(edges, logits, side="right").tolist()]
