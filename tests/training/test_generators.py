"""Made-up generators: as many labels as asked, possible ones, the same for the same seed."""

import pytest

from namewarden.training.generators import common_words, names

WORDS = ["garden", "green", "house", "cloud"]


def test_as_many_as_asked_all_different_and_possible():
    made = names(3000, 1, WORDS)
    assert len(set(made)) == 3000
    for label in made:
        assert (
            3 <= len(label) <= 63 and label.isalnum() and label.isascii() and label == label.lower()
        )


def test_one_seed_one_set():
    assert names(500, 1, WORDS) == names(500, 1, WORDS) != names(500, 2, WORDS)


@pytest.mark.parametrize("words", [[], WORDS])
def test_with_and_without_words(words):
    assert len(names(200, 3, words)) == 200


def test_words_are_what_site_owners_hyphenate():
    labels = ["green-house", "green-garden", "green-x1", "housegreen"]
    assert common_words(labels, least=3) == ["green"]
