"""n-grams' places are exact in float32, and counts survive being packed two to an octet."""

import numpy as np
import pytest

from namewarden.detector.encoding import SYMBOLS, encode
from namewarden.training.grams import (
    COUNTED,
    EXACT,
    HIGHEST,
    LONGEST,
    Counted,
    Gram,
    count,
    packed,
    steps,
    unpacked,
    windows,
)


@pytest.mark.parametrize("gram", [table.gram for table in COUNTED])
def test_no_sum_leaves_what_float32_holds_exactly(gram):
    assert gram.letters <= LONGEST
    for factors in (gram.factors(), gram.halves()):
        assert (factors > 0).all() and factors.sum() * (SYMBOLS - 1) < EXACT


def test_windows_look_back_and_see_nothing_before_the_first():
    assert windows(np.array([[1, 2, 3]], np.uint8), 2).tolist() == [[[1, 0], [2, 1], [3, 2]]]


def test_counts_of_what_was_met_often_enough():
    table = Counted("benign", Gram(3, 64_007), 2)
    counts = count(encode(["abc", "xabc", "q"]).astype(np.uint8), table)
    assert sorted(counts[counts > 0].tolist()) == [2.0]
    a, b, c = 1, 2, 3
    assert counts[(c + 40 * b + 1600 * a) % 64_007, (a + b + c) % 2] == 2


def test_a_step_an_octave():
    assert steps(np.array([0, 4, 5, 9, 10, 20, 1e9], np.float32), 5).tolist() == [
        0,
        0,
        1,
        1,
        2,
        3,
        HIGHEST,
    ]


def test_two_halves_in_an_octet():
    counts = np.array([[5, 0], [0, 40], [1e9, 10]], np.float32)
    octets, table = packed(counts, 5), unpacked()
    assert [[table[o], table[256 + o]] for o in octets.tolist()] == steps(counts, 5).tolist()
