"""Values by key in a table that holds no keys: a static function (Majewski, Wormald, Havas and Czech 1996).

A key has a place in each of three parts of a table; its value, an octet, is the sum of what stands there, modulo 256.
With 1.24 octets a key the table can be filled so that this is right for every key at once. For anything else the sum is
as good as drawn: where few values mean something, few strangers seem to be keys (Chazelle and others 2004).
"""

import numpy as np
from numpy.typing import NDArray

PARTS = 3
VALUES = 256  # of an octet
ROOM = 1.24  # octets a key; from 1.222 on there is a way for almost every set of keys


def filled(places: NDArray[np.int64], values: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """[keys, PARTS] places of each key, [keys] values → the table [size]; zeros without keys. Of two keys that share
    all places, and of what is too crowded, the values are forgotten."""
    if not len(places):
        return np.zeros(size, np.uint8)
    # Left at zero, free places would make strangers' sums small: values that mean something.
    table = np.random.default_rng(size).integers(0, VALUES, size)
    for keys, free in reversed(_order(places, size)):
        here = places[keys]
        own = np.take_along_axis(here, free[:, None], 1)[:, 0]
        table[own] = 0
        table[own] = (values[keys] - table[here].sum(1)) % VALUES
    return table.astype(np.uint8)


def _order(
    places: NDArray[np.int64], size: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Keys that have a place to themselves, round by round as others are taken away, and in which part that is."""
    left = np.arange(len(places))
    rounds = []
    while len(left):
        here = places[left]
        alone = np.bincount(here.ravel(), minlength=size)[here] == 1
        free = alone.any(1)
        if not free.any():
            break
        rounds.append((left[free], alone[free].argmax(1)))
        left = left[~free]
    return rounds
