"""n-grams' places are exact in float32, and a label counted does not count itself."""

import numpy as np
import pytest

from namewarden.detector.encoding import SYMBOLS, encode
from namewarden.training.grams import (
    COUNTED,
    EXACT,
    HIGHEST,
    LONGEST,
    Gram,
    Table,
    count,
    met,
    spelled,
    steps,
    windows,
)
from namewarden.training.groups import MADE
from namewarden.training.retrieval import VALUES, filled

GRAMS = [*(table.gram for table in COUNTED), *MADE]


def rows(*labels):
    return encode(labels).astype(np.uint8)


def name(text):
    """Its one whole n-gram, as a number."""
    return met(rows(text), len(text))[0][-1:]


@pytest.mark.parametrize("gram", GRAMS)
def test_no_sum_leaves_what_float32_holds_exactly(gram):
    factors = gram.factors()
    assert gram.letters <= LONGEST
    assert (factors >= 0).all() and (factors.sum(1) * (SYMBOLS - 1) < EXACT).all()


@pytest.mark.parametrize("gram", GRAMS)
def test_an_n_gram_has_a_place_in_each_part(gram):
    dice = np.random.default_rng(3)
    places = gram.places(dice.integers(0, SYMBOLS**gram.letters, 1000))
    starts = gram.starts()
    assert (places >= starts).all() and (places < starts + gram.parts).all()
    assert starts[-1] + gram.parts[-1] == gram.size


def test_windows_look_back_and_see_nothing_before_the_first():
    assert windows(np.array([[1, 2, 3]], np.uint8), 2).tolist() == [[[1, 0], [2, 1], [3, 2]]]


def test_n_grams_are_numbers_and_back():
    names, times = met(rows("abab"), 2)
    assert spelled(names, 2).tolist() == [[1, 0], [2, 1], [1, 2]]
    assert times.tolist() == [1, 2, 1]


@pytest.mark.parametrize("letters", [3, 4])
def test_counts_of_what_was_met_often_enough_and_without_oneself(letters):
    table = Table(Gram(letters, SYMBOLS**3 if letters == 3 else 97), 2)
    text = "abcd"[:letters]
    octets = count(rows(text, f"x{text}", f"z{text}", f"{text}y", "q"), table)
    places = table.gram.places(name(text))
    assert [octets[own][places].sum() % VALUES for own in (0, 1)] == [2, 1]


def test_only_the_most_frequent_have_room():
    table = Table(Gram(4, 101), 1)
    rare = [f"{number:06x}" for number in range(10**6, 10**7, 10**5)]
    octets = count(rows(*(["often"] * 9), *rare), table)
    assert octets[0][table.gram.places(name("ften"))].sum() % VALUES == 1 + 3


@pytest.mark.parametrize("gram", [gram for gram in GRAMS if gram.letters > 3])
def test_as_many_as_there_is_room_for_all_get_their_value_back(gram):
    """Of letters as frequent as names have them."""
    dice = np.random.default_rng(5)
    letters = 1 + np.minimum(dice.geometric(0.09, (4 * gram.room, gram.letters)), SYMBOLS - 2)
    names = np.unique(letters @ SYMBOLS ** np.arange(gram.letters))
    names = dice.permutation(names)[: gram.room]
    values = dice.integers(1, 16, len(names)).astype(np.uint8)
    places = gram.places(names)
    found = filled(places, values, gram.size)[places].sum(1, dtype=np.int64) % VALUES
    assert len(names) == gram.room and (found == values).mean() > 0.999


def test_a_step_an_octave():
    counts = np.array([0, 4, 5, 9, 10, 20, 10**9])
    assert steps(counts, 5).tolist() == [0, 0, 1, 1, 2, 3, HIGHEST]
