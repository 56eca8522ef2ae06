"""How generators repeat themselves: what a label's n-grams are worth under each group of them.

Who takes labels from a list of words or syllables makes the same n-grams again and again. How surprising a letter is
after those before it, under each group of generators, says whose label it is. A table gives one of few codes for an
n-gram, a book the surprises that a code stands for (vector quantisation by k-means).
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.encoding import SYMBOLS
from namewarden.training.grams import Codes, Gram, met
from namewarden.training.retrieval import VALUES, filled

GROUPS = 12
SHARED = 2  # generators to a group, at most
REPEATING = 0.2  # a generator that repeats a lesser share of its n-grams has no group
CODES = 40  # values up to it mean an n-gram that was met, any other a surprise under every group
LEAST = 3  # times that a generator made an n-gram
FLOOR = 7.0  # the greatest surprise told, in nats
FOLDS = 5  # of generated labels taught: each is read with what was made of the other folds
MADE = (Gram(4, 27_901), Gram(6, 24_809))
Rows = NDArray[np.uint8]


class Made(Struct, frozen=True):
    """Tables [1 + FOLDS, octets], of all labels and without each fold; book [VALUES, GROUPS], the surprise that each
    value stands for, a likelihood's negative natural logarithm."""

    octets: NDArray[np.uint8]
    book: NDArray[np.float32]


def fold(label: str) -> int:
    """Which fold a label is in, whatever hyphens are put in."""
    return crc32(label.replace("-", "").encode()) % FOLDS


def remembered(generators: Sequence[Rows], folds: Sequence[NDArray[np.int64]]) -> Made:
    """Rows of different labels by generator, and the fold of each label."""
    group = groups(generators)
    whole = [_likely(generators, group, gram) for gram in MADE]
    book = _book(np.concatenate([surprises for _, surprises in whole]))
    octets = [_octets(whole, book)]
    for out in range(FOLDS):
        rest = [rows[of != out] for rows, of in zip(generators, folds, strict=True)]
        octets.append(_octets([_likely(rest, group, gram) for gram in MADE], book))
    return Made(np.stack(octets), book)


def groups(generators: Sequence[Rows]) -> list[int]:
    """Rows of labels by generator → the group of each, -1: none. Those that repeat themselves most come first, and have
    their group to themselves as far as there are groups."""
    shares = np.array([repeated(rows) for rows in generators])
    found = [-1] * len(generators)
    for rank, at in enumerate(np.argsort(-shares, kind="stable")[: SHARED * GROUPS].tolist()):
        if shares[at] >= REPEATING:
            found[at] = rank % GROUPS
    return found


def repeated(rows: Rows) -> float:
    """The share of a generator's shortest n-grams that it made again and again."""
    names, times = met(rows, MADE[0].letters)
    whole = times[names >= SYMBOLS ** (MADE[0].letters - 1)]  # none that begins before its label
    return float(whole[whole > LEAST].sum() / max(whole.sum(), 1))


def _likely(
    generators: Sequence[Rows], group: Sequence[int], gram: Gram
) -> tuple[Codes, NDArray[np.float32]]:
    """The n-grams that a group makes most; [n-grams, GROUPS] the surprise of the last letter."""
    parts = [
        (bit, *_after(rows, gram.letters))
        for rows, bit in zip(generators, group, strict=True)
        if bit >= 0 and len(rows)
    ]
    names = np.unique(np.concatenate([part[1] for part in parts] or [np.zeros(0, np.int64)]))
    surprises, weight = np.full((len(names), GROUPS), FLOOR, np.float32), np.zeros(len(names))
    for bit, found, share, surprise in parts:
        at = np.searchsorted(names, found)
        surprises[at, bit] = np.minimum(surprises[at, bit], surprise)
        weight[at] = np.maximum(weight[at], share)
    most = np.argsort(-weight, kind="stable")[: gram.room]
    return names[most], surprises[most]


def _after(rows: Rows, letters: int) -> tuple[Codes, NDArray[np.float64], NDArray[np.float64]]:
    """n-grams of one generator, how many of each a label, and the surprise of the last letter, where below FLOOR."""
    names, times = met(rows, letters)
    _, before = np.unique(names // SYMBOLS, return_inverse=True)
    surprise = -np.log(times / np.bincount(before, times)[before])
    kept = (times >= LEAST) & (surprise < FLOOR)
    return names[kept], times[kept] / len(rows), surprise[kept]


def _book(surprises: NDArray[np.float32]) -> NDArray[np.float32]:
    """The surprises that stand for all of them."""
    from sklearn.cluster import MiniBatchKMeans

    book = np.full((VALUES, GROUPS), FLOOR, np.float32)
    most = min(CODES, len(np.unique(surprises, axis=0)))
    if most:
        means = MiniBatchKMeans(most, random_state=0, n_init=1, max_iter=30, batch_size=8192)
        book[1 : 1 + most] = means.fit(surprises).cluster_centers_
    return book


def _octets(
    tables: Sequence[tuple[Codes, NDArray[np.float32]]], book: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """All tables, one after the other."""
    return np.concatenate(
        [
            filled(gram.places(names), _nearest(surprises, book), gram.size)
            for gram, (names, surprises) in zip(MADE, tables, strict=True)
        ]
    )


def _nearest(surprises: NDArray[np.float32], book: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The nearest code of each."""
    codes = book[1 : 1 + CODES]
    far = (codes**2).sum(1) - 2 * surprises @ codes.T
    nearest: NDArray[np.uint8] = (1 + far.argmin(1)).astype(np.uint8)
    return nearest
