"""The lists are in the package and hold names; made-up names are of their kinds, the same each time."""

import pytest

from namewarden.training import registry


def test_every_list_gives_names_with_a_maker():
    found = list(registry.listed(most=50))
    assert len(found) == 50 * len(registry.LISTS)
    assert {maker for _, maker in found} == set(registry.LISTS.values())
    assert all("." in name and "/" not in name for name, _ in found)


def test_the_most_popular_are_there():
    assert {"google.com", "wikipedia.org"} <= set(registry.popular())


@pytest.mark.parametrize("each", [1, 200])
def test_made_up_names_of_every_kind(each):
    words = ["green", "house", "cloud", "garden", "bakery", "museum", "library", "weather"]
    benign = [f"{one}-{two}" for one in words for two in words]
    made = registry.made(benign, each)
    assert list(made.values()).count("words") == each and len(made) == 6 * each
    assert made == registry.made(benign, each)
