"""n-grams as keys of small tables: how the product's network remembers what letters it met together.

An n-gram's place in each part of a table is a sum of whole numbers, one for each letter and how far back it stands,
modulo the size of the part. The sums stay below 2^24, so that float32 is exact: in the packaged graph they are one
convolution (`lean.py`). What a table gives back for an n-gram is said in `retrieval.py`.

The tables here count in how many benign labels an n-gram was met, in octaves (`steps`); `groups.py` has others.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, SYMBOLS
from namewarden.training.retrieval import PARTS, ROOM, filled

Codes = NDArray[np.int64]
LONGEST = 6  # letters looked back at, the last one included
DIRECT = 3  # letters up to which each n-gram has a place of its own: most of them are met
EXACT = 1 << 24  # whole numbers below are exact in float32
HIGHEST = 15  # most steps that a count has


class Gram(Struct, frozen=True):
    """One table: which n-grams it holds."""

    letters: int  # n
    part: int  # places of a part; up to DIRECT letters, one for each n-gram there is

    @property
    def parts(self) -> tuple[int, ...]:
        """Paths of each part: n-grams that have one each need no other part."""
        return (self.part, *([self.part if self.letters > DIRECT else 1] * (PARTS - 1)))

    @property
    def size(self) -> int:
        """Octets."""
        return sum(self.parts)

    @property
    def room(self) -> int:
        """n-grams at most."""
        return int(self.size / ROOM) if self.letters > DIRECT else self.part

    def factors(self) -> NDArray[np.int64]:
        """[PARTS, letters]: what a letter's code counts for in a place, by how far back it stands."""
        if self.letters <= DIRECT:
            return np.outer([1, *[0] * (PARTS - 1)], SYMBOLS ** np.arange(self.letters))
        dice = np.random.default_rng(self.letters)
        return dice.integers(1, EXACT // ((SYMBOLS - 1) * self.letters), (PARTS, self.letters))

    def starts(self) -> NDArray[np.int64]:
        """Where each part begins."""
        return np.cumsum([0, *self.parts[:-1]])

    def places(self, names: Codes) -> Codes:
        """n-grams as one number → [n-grams, PARTS]."""
        sums = spelled(names, self.letters) @ self.factors().T
        places: Codes = sums % self.parts + self.starts()
        return places


class Table(Struct, frozen=True):
    """What was met less than `least` times is not in it."""

    gram: Gram
    least: int


COUNTED = (
    Table(Gram(3, SYMBOLS**3), 1),
    Table(Gram(4, 77_951), 3),
    Table(Gram(5, 74_311), 7),
    Table(Gram(6, 26_261), 17),
)


def windows(rows: NDArray[np.uint8], letters: int) -> NDArray[np.int64]:
    """[names, width] → [names, width, letters]: each code and those before it, nearest first; 0 before all."""
    padded = np.pad(rows.astype(np.int64), ((0, 0), (letters - 1, 0)))
    found = np.lib.stride_tricks.sliding_window_view(padded, letters, axis=1)
    return found[:, :, ::-1]


def met(rows: NDArray[np.uint8], letters: int) -> tuple[Codes, Codes]:
    """The different n-grams of labels, as digits of one number, and how often each was met, twice in a label where it
    stands twice."""
    digits = SYMBOLS ** np.arange(letters, dtype=np.int64)
    found: list[Codes] = []
    for some in np.array_split(rows, max(len(rows) // 100_000, 1)):
        found.append((digits * windows(some, letters)).sum(-1)[some != PADDING])
    return np.unique(np.concatenate(found), return_counts=True)


def spelled(names: Codes, letters: int) -> Codes:
    """n-grams as one number → their codes, nearest first."""
    return names[:, None] // SYMBOLS ** np.arange(letters, dtype=np.int64) % SYMBOLS


def count(rows: NDArray[np.uint8], table: Table) -> NDArray[np.uint8]:
    """Rows of labels taught → [2, size]: in how many each n-gram stands, in steps, and in how many others."""
    names, times = met(rows, table.gram.letters)
    return np.stack([_counted(names, times - own, table) for own in (0, 1)])


def _counted(names: Codes, times: Codes, table: Table) -> NDArray[np.uint8]:
    gram = table.gram
    if gram.letters <= DIRECT:  # all n-grams there are: no other is taken for one
        times = np.bincount(names, times, gram.part).astype(np.int64)
        names = np.arange(gram.part)
    else:
        rare = np.sort(times)[-gram.room - 1] if len(times) > gram.room else 0
        kept = times >= max(table.least, rare + 1)
        names, times = names[kept], times[kept]
    return filled(gram.places(names), steps(times, table.least), gram.size)


def steps(counts: Codes, least: int) -> NDArray[np.uint8]:
    """Counts as the network sees them: 0 below `least`, then a step an octave."""
    octaves = np.floor(np.log2(np.maximum(counts, 1) / least) + 1e-9)
    return np.where(counts >= least, np.minimum(1 + octaves, HIGHEST), 0).astype(np.uint8)
