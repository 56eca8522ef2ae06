"""n-grams' places are exact in float32, and counts survive being packed two to an octet."""

import numpy as np
import pytest

from namewarden.detector.encoding import SYMBOLS, encode
from namewarden.training.grams import (
    COUNTED,
    EXACT,
    GROUPS,
    HALVES,
    HIGHEST,
    LONGEST,
    MADE,
    MARK,
    SHARED,
    Gram,
    Table,
    bits,
    count,
    group_counts,
    groups,
    packed,
    repeated,
    sharers,
    steps,
    unpacked,
    windows,
)

WORDS = ("garden", "window", "thunder", "basket", "lantern", "copper")


def rows(*labels):
    return encode(labels).astype(np.uint8)


def of_words():
    return rows(*(a + b for a in WORDS for b in WORDS))


def of_letters(seed):
    dice = np.random.default_rng(seed)
    return rows(*("".join(dice.choice(list("abcdefghijklmnopqrstuvwxyz"), 12)) for _ in range(36)))


@pytest.mark.parametrize("gram", [table.gram for table in (*COUNTED, *MADE)])
def test_no_sum_leaves_what_float32_holds_exactly(gram):
    factors = gram.factors()
    assert gram.letters <= LONGEST
    assert (factors > 0).all() and factors.sum() * (SYMBOLS - 1) < EXACT
    assert LONGEST * (SYMBOLS - 1) * HALVES * MARK < EXACT


def test_windows_look_back_and_see_nothing_before_the_first():
    assert windows(np.array([[1, 2, 3]], np.uint8), 2).tolist() == [[[1, 0], [2, 1], [3, 2]]]


def test_counts_of_what_was_met_often_enough():
    table = Table(Gram(3, 64_007), 2)
    counts = count(rows("abc", "xabc", "q"), table)
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


def test_who_takes_labels_from_a_list_repeats_itself():
    assert repeated(of_words()) > 0.3
    assert repeated(of_letters(1)) < 0.01
    assert repeated(rows("ab")) == 0


def test_who_repeats_itself_has_a_group_and_the_first_have_theirs_alone():
    assert groups([of_letters(1), of_words(), rows("ab")]) == [-1, 0, -1]
    many = groups([of_words()] * (GROUPS * SHARED + 1))
    assert many == [*range(GROUPS), *range(GROUPS), -1]


def test_a_bit_for_each_group_that_makes_an_n_gram_often_enough():
    table = MADE[0]
    counts = group_counts([of_words(), of_letters(1), of_words()], [2, -1, 7], table.gram)
    place = table.gram.places(encode(["garde"])[:, 4::-1].astype(np.int64))
    assert counts[place].tolist() == [[0, 0, 12, 0, 0, 0, 0, 12]]
    assert bits()[sharers(counts, table.least)[place]].tolist() == [[0, 0, 1, 0, 0, 0, 0, 1]]
    assert sharers(counts, 13)[place] == 0
