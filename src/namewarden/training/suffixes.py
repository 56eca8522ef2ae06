"""How likely the names of each generator stand under each suffix: what the manifest tells the namer of families.

Only the family is named by it (`detector/families.py`); no network reads a suffix, and none is learned from.
"""

import math
from collections import Counter
from collections.abc import Mapping

from namewarden.detector.families import OTHER
from namewarden.training.data import Corpus, generator

SMOOTHING = 0.5  # added to every count: few names under few suffixes prove little
DIGITS = 3
UNKNOWN = "unknown"
Shares = dict[str, dict[str, float]]


def family_suffixes(corpus: Corpus) -> Shares:
    """Class → suffix → logarithm of its share; nothing where the corpus was kept without suffixes."""
    counts: dict[str, Counter[str]] = {}
    for family, found in sorted(corpus.suffixes.items()):
        counts.setdefault(generator(family), Counter()).update(found)
    return shares(counts) if counts else {}


def shares(counts: Mapping[str, Mapping[str, int]]) -> Shares:
    """Smoothed over all suffixes and one more, "", which stands for every other; of what is unknown all are alike."""
    every = len({suffix for found in counts.values() for suffix in found}) + 1
    flat = {OTHER: _rounded(1 / every)}
    return {UNKNOWN: flat} | {each: _smoothed(found, every) for each, found in counts.items()}


def _smoothed(found: Mapping[str, int], every: int) -> dict[str, float]:
    total = sum(found.values()) + SMOOTHING * every
    shares = {suffix: (count + SMOOTHING) / total for suffix, count in sorted(found.items())}
    return {
        suffix: _rounded(share) for suffix, share in {OTHER: SMOOTHING / total, **shares}.items()
    }


def _rounded(share: float) -> float:
    return min(round(math.log(share), DIGITS), 0.0)
