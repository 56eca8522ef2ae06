"""Every file of the room is a recipe that says what it is."""

import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipe import Featured, Neural
from namewarden.training.recipes import find, names


@pytest.mark.parametrize("name", names())
def test_a_recipe_has_the_name_of_its_file_and_says_its_source(name):
    recipe = find(name)
    assert isinstance(recipe, Neural | Featured)
    assert recipe.name == name and recipe.source and recipe.layers
