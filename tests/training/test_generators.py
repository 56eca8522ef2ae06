"""Made-up generators: as many labels as asked, possible ones, the same for the same seed."""

import pytest

from namewarden.training.generators import by_kind, common_words, hyphened, names

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


def test_each_kind_gives_as_many_and_none_twice():
    found = by_kind(500, 1, WORDS)
    assert {len(labels) for labels in found.values()} == {500}
    assert len({label for labels in found.values() for label in labels}) == 500 * len(found)
    assert all(set(label) <= set("0123456789abcdef") for label in found["hexadecimal"])
    assert found == by_kind(500, 1, WORDS)


def test_few_words_give_few_names():
    assert 0 < len(by_kind(500, 1, ["only", "two"])["words"]) < 500


def test_hyphens_are_put_inside_long_labels_only():
    found = hyphened(["abcdefghijklmnop", "short", "qrstuvwxyzab"], 5, 1)
    assert sorted(label.replace("-", "") for label in found) == ["abcdefghijklmnop", "qrstuvwxyzab"]
    assert all(2 <= label.index("-") < len(label) - 1 for label in found)
