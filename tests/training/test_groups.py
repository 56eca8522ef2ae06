"""Who takes labels from a list repeats itself; what it makes is expected under its group, and under no other."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `train`")

from namewarden.detector.encoding import encode
from namewarden.training.grams import met
from namewarden.training.groups import (
    CODES,
    FLOOR,
    FOLDS,
    GROUPS,
    MADE,
    SHARED,
    fold,
    groups,
    remembered,
    repeated,
)
from namewarden.training.retrieval import VALUES

WORDS = ("garden", "window", "thunder", "basket", "lantern", "copper")


def rows(*labels):
    return encode(labels).astype(np.uint8)


def of_words():
    return [a + b for a in WORDS for b in WORDS]


def of_letters(seed):
    dice = np.random.default_rng(seed)
    return ["".join(dice.choice(list("abcdefghijklmnopqrstuvwxyz"), 12)) for _ in range(36)]


def made(*generators):
    folds = [np.array([fold(label) for label in labels]) for labels in generators]
    return remembered([rows(*labels) for labels in generators], folds)


def surprise(made, text, row=0):
    """Of the last letter of four, under each group."""
    places = MADE[0].places(met(rows(text), 4)[0][-1:])
    return made.book[made.octets[row][places].sum(dtype=np.int64) % VALUES]


def test_who_takes_labels_from_a_list_repeats_itself():
    assert repeated(rows(*of_words())) > 0.3
    assert repeated(rows(*of_letters(1))) < 0.01
    assert repeated(rows("ab")) == 0


def test_who_repeats_itself_has_a_group_and_the_first_have_theirs_alone():
    words = rows(*of_words())
    assert groups([rows(*of_letters(1)), words, rows("ab")]) == [-1, 0, -1]
    many = groups([words] * (GROUPS * SHARED + 1))
    assert many == [*range(GROUPS), *range(GROUPS), -1]


def test_a_word_of_a_list_is_expected_under_its_group_alone():
    found = surprise(made(of_letters(1), of_words()), "arde")
    assert found[0] < 0.5 and found[1:] == pytest.approx(FLOOR)


def test_what_is_no_code_is_a_surprise_under_all():
    assert (made(of_words()).book[[0, *range(CODES + 1, VALUES)]] == FLOOR).all()


def test_without_a_fold_its_labels_are_not_remembered():
    same = [label for label in (f"zjqv{number}" for number in range(99)) if fold(label) == 3][:4]
    found = made([*of_words(), *same])
    assert found.octets.shape == (1 + FOLDS, sum(gram.size for gram in MADE))
    assert surprise(found, "zjqv")[0] < 1 and surprise(found, "zjqv", row=1 + 1)[0] < 1
    assert surprise(found, "zjqv", row=1 + 3)[0] == FLOOR


def test_a_hyphen_put_in_leaves_a_label_in_its_fold():
    assert fold("gardenwindow") == fold("garden-window")


def test_nobody_repeats_anything():
    assert not made(of_letters(1)).octets.any()
    assert not remembered([], []).octets.any()
