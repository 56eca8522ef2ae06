"""Recipes: what a model is made of, one file each. A new file that offers `RECIPE` is a new recipe."""

from importlib import import_module
from pkgutil import iter_modules

from namewarden.training.recipe import Recipe


def names() -> list[str]:
    """Every recipe there is: its file's name with hyphens."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(__path__))


def find(name: str) -> Recipe:
    """The recipe of that name; what it needs (Keras, scikit-learn) is imported only now."""
    if name not in names():
        raise SystemExit(f"no recipe {name}; there are {', '.join(names())}")
    recipe = import_module(f"{__name__}.{name.replace('-', '_')}").RECIPE
    assert isinstance(recipe, Recipe)
    return recipe
