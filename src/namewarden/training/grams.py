"""n-grams as places in small tables: how the product's network remembers what letters it met together.

An n-gram's place is a sum of whole numbers, one for each letter and how far back it stands, modulo the size of its
table. The sums stay below 2^24, so that float32 is exact: in the packaged graph they are one convolution (`lean.py`).

Some tables count benign labels, two counts an octet: the sum of an n-gram's codes, even or odd, says which half is its
own. A half says in how many labels taught the most frequent of its n-grams stood, in octaves (`steps`).

Others say which groups of generators make an n-gram again and again, a bit of an octet each (`sharers`). Who takes
labels from a list of words or syllables repeats itself; a label that one group makes whole is hardly a site's.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, SYMBOLS

Codes = NDArray[np.int64]
LONGEST = 6  # letters looked back at, the last one included
EXACT = 1 << 24  # whole numbers below are exact in float32
HIGHEST = 15  # most steps that a count has: half an octet
HALVES = 2  # counts in an octet
MARK = 256  # what the second half of an octet is marked by
GROUPS = 8  # of generators: bits of an octet
SHARED = 2  # generators to a bit, at most
REPEATING = 0.2  # a generator that repeats a lesser share of its n-grams has no group


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

    def places(self, codes: Codes) -> Codes:
        """[n-grams, letters], nearest first → their places."""
        places: Codes = (codes * self.factors()).sum(1) % self.size
        return places


class Table(Struct, frozen=True):
    """What was met less than `least` times is not in it."""

    gram: Gram
    least: int


# Counts of benign labels taught, and which groups made an n-gram.
COUNTED = (
    Table(Gram(3, 32_003), 1),
    Table(Gram(4, 262_139), 2),
    Table(Gram(5, 196_613), 8),
    Table(Gram(6, 131_071), 12),
)
MADE = (Table(Gram(5, 73_721), 4), Table(Gram(6, 73_727), 4))


def windows(rows: NDArray[np.uint8], letters: int) -> NDArray[np.int64]:
    """[names, width] → [names, width, letters]: each code and those before it, nearest first; 0 before all."""
    padded = np.pad(rows.astype(np.int64), ((0, 0), (letters - 1, 0)))
    found = np.lib.stride_tricks.sliding_window_view(padded, letters, axis=1)
    return found[:, :, ::-1]


def met(rows: NDArray[np.uint8], letters: int, whole: bool = False) -> tuple[Codes, Codes]:
    """The different n-grams of labels, as digits of one number, and how often each was met, twice in a label where it
    stands twice; `whole`: none that begins before its label."""
    digits = SYMBOLS ** np.arange(letters, dtype=np.int64)
    found: list[Codes] = []
    for some in np.array_split(rows, max(len(rows) // 100_000, 1)):
        back = windows(some, letters)
        here = (some != PADDING) & ((back[:, :, -1] != PADDING) | (not whole))
        found.append((digits * back).sum(-1)[here])
    return np.unique(np.concatenate(found), return_counts=True)


def count(rows: NDArray[np.uint8], table: Table) -> NDArray[np.float32]:
    """Rows of labels taught → for each place and half how many of them its most frequent n-gram was met in."""
    gram = table.gram
    names, times = met(rows, gram.letters)
    names, times = names[times >= table.least], times[times >= table.least]
    codes = spelled(names, gram.letters)
    counts = np.zeros((gram.size, HALVES), np.float32)
    place = gram.places(codes), codes.sum(1) % HALVES
    np.maximum.at(counts, place, times.astype(np.float32))
    return counts


def groups(generators: Sequence[NDArray[np.uint8]]) -> list[int]:
    """Rows of labels by generator → the group of each, -1: none. Those that repeat themselves most come first, and have
    their group to themselves as far as there are groups."""
    shares = np.array([repeated(rows) for rows in generators])
    found = [-1] * len(generators)
    for rank, at in enumerate(np.argsort(-shares, kind="stable")[: SHARED * GROUPS].tolist()):
        if shares[at] >= REPEATING:
            found[at] = rank % GROUPS
    return found


def repeated(rows: NDArray[np.uint8]) -> float:
    """The share of a generator's shortest n-grams that enough of its labels hold."""
    _, times = met(rows, MADE[0].gram.letters, whole=True)
    return float(times[times >= MADE[0].least].sum() / max(times.sum(), 1))


def group_counts(
    generators: Sequence[NDArray[np.uint8]], group: Sequence[int], gram: Gram
) -> NDArray[np.float32]:
    """[places, GROUPS]: in how many labels of a generator of the group the most frequent n-gram there was met."""
    counts = np.zeros((gram.size, GROUPS), np.float32)
    for rows, bit in zip(generators, group, strict=True):
        if bit >= 0:
            names, times = met(rows, gram.letters)
            places = gram.places(spelled(names, gram.letters))
            np.maximum.at(counts[:, bit], places, times.astype(np.float32))
    return counts


def spelled(names: Codes, letters: int) -> Codes:
    """n-grams as one number → their codes, nearest first."""
    return names[:, None] // SYMBOLS ** np.arange(letters, dtype=np.int64) % SYMBOLS


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


def sharers(counts: NDArray[np.float32], least: int) -> NDArray[np.uint8]:
    """[places, GROUPS] counts → octets: a bit for each group that met the n-gram often enough."""
    return np.packbits(counts >= least, axis=1, bitorder="little")[:, 0]


def bits() -> NDArray[np.uint8]:
    """[256, GROUPS]: the groups that an octet names."""
    return np.unpackbits(np.arange(MARK, dtype=np.uint8)[:, None], axis=1, bitorder="little")


def unpacked() -> NDArray[np.uint8]:
    """The steps that an octet says; those of its second half from MARK on."""
    octets = np.arange(MARK, dtype=np.uint8)
    return np.concatenate([octets % (HIGHEST + 1), octets // (HIGHEST + 1)])
