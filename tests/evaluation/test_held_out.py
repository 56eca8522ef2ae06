"""What was never seen is told of the recipe that did not see it, and of no other."""

from namewarden.evaluation.held_out import pick, show
from tests.evaluation.figure import measured, named


def test_only_the_recipe_on_its_own_terms_is_taken():
    found = measured()
    assert pick([named(found, "packaged"), named(found, "recipe-own-5x1")]) is None
    held = pick([named(found, "recipe-own", title="recipe own")])
    assert held and set(held.groups) == {"chosen by", "chosen by, of words", "unseen"}
    assert held.groups["unseen"] == found.detection.groups["unseen"]


def test_the_section_has_means_and_families_and_says_whose_they_are():
    text = show(pick([named(measured(), "recipe-own", title="recipe own")]))
    for words in (
        "not the weights that the rest is about",
        "| unseen | 1 |",
        "| unseen | tinba | 12 |",
    ):
        assert words in text, words
    assert 'none I know" between them and the families it learned: not measured' in text
    assert "Families never seen: not measured" in show(None)
