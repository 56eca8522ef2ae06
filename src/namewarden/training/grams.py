"""n-grams as places in small tables: how the product's network remembers what letters it met together.

An n-gram's place is a sum of whole numbers, one for each letter and how far back it stands, modulo the size of its
table; another such sum says which half of the octet there is its own. The sums stay below 2^24, so that float32 is
exact: in the packaged graph they are one convolution (`lean.py`). A half says in how many labels taught the most
frequent of its n-grams stood, in octaves (`steps`).
"""

from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, SYMBOLS

LONGEST = 7  # letters looked back at, the last one included
EXACT = 1 << 24  # whole numbers below are exact in float32
HIGHEST = 15  # most steps that a count has: half an octet
HALVES = 2  # counts in an octet
MARK = 256  # what the second half of an octet is marked by


class Gram(Struct, frozen=True):
    """One table: which n-grams it holds."""

    letters: int  # n
    size: int  # places

    def factors(self) -> NDArray[np.int64]:
        """What a letter's code counts for in the place, by how far back it stands; short n-grams have one each."""
        if self.letters <= 4:
            return SYMBOLS ** np.arange(self.letters, dtype=np.int64)
        dice = np.random.default_rng(self.letters)
        return dice.integers(1, EXACT // ((SYMBOLS - 1) * self.letters), self.letters)

    def halves(self) -> NDArray[np.int64]:
        """As `factors`, for the half: that of the sum of all codes, even or odd."""
        return np.full(self.letters, MARK, dtype=np.int64)


class Counted(Struct, frozen=True):
    """A table of counts, of labels taught as benign or generated; what was met less than `least` times is not kept."""

    of: Literal["benign", "generated"]
    gram: Gram
    least: int


COUNTED = (
    Counted("benign", Gram(3, 64_007), 1),
    Counted("benign", Gram(4, 262_139), 2),
    Counted("benign", Gram(5, 196_613), 8),
    Counted("benign", Gram(6, 131_071), 12),
    Counted("generated", Gram(5, 32_749), 10),
    Counted("generated", Gram(7, 32_749), 5),
)


def windows(rows: NDArray[np.uint8], letters: int) -> NDArray[np.int64]:
    """[names, width] → [names, width, letters]: each code and those before it, nearest first; 0 before all."""
    padded = np.pad(rows.astype(np.int64), ((0, 0), (letters - 1, 0)))
    found = np.lib.stride_tricks.sliding_window_view(padded, letters, axis=1)
    return found[:, :, ::-1]


def count(rows: NDArray[np.uint8], table: Counted) -> NDArray[np.float32]:
    """Rows of labels taught → for each place and half how many of them its most frequent n-gram was met in."""
    gram = table.gram
    digits = SYMBOLS ** np.arange(gram.letters, dtype=np.int64)
    found: list[NDArray[np.int64]] = []
    for some in np.array_split(rows, max(len(rows) // 100_000, 1)):
        found.append((digits * windows(some, gram.letters)).sum(-1)[some != PADDING])
    names, times = np.unique(np.concatenate(found), return_counts=True)
    names, times = names[times >= table.least], times[times >= table.least]
    codes = names[:, None] // digits % SYMBOLS
    counts = np.zeros((gram.size, HALVES), np.float32)
    place = (codes * gram.factors()).sum(1) % gram.size
    half = (codes * gram.halves()).sum(1) // MARK % HALVES
    np.maximum.at(counts, (place, half), times.astype(np.float32))
    return counts


def steps(counts: NDArray[np.float32], least: int) -> NDArray[np.uint8]:
    """Counts as the network sees them: 0 below `least`, then a step an octave."""
    high = counts >= least
    found = np.zeros(counts.shape, np.uint8)
    octaves = np.floor(np.log2(counts[high] / np.float32(least)) + 1e-4)
    found[high] = np.minimum(1 + octaves, HIGHEST).astype(np.uint8)
    return found


def packed(counts: NDArray[np.float32], least: int) -> NDArray[np.uint8]:
    """[places, 2] counts → octets: the steps of the first half low, those of the second high."""
    found = steps(counts, least)
    return found[:, 0] + (HIGHEST + 1) * found[:, 1]


def unpacked() -> NDArray[np.uint8]:
    """The steps that an octet says; those of its second half from MARK on."""
    octets = np.arange(MARK, dtype=np.uint8)
    return np.concatenate([octets % (HIGHEST + 1), octets // (HIGHEST + 1)])
