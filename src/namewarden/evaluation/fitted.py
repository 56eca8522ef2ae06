"""A recipe to be measured: fitted, or loaded where it was; exported where it can be, as the resolver would load it.

Its name says on what terms: `recipe-own` are the recipe's own, `recipe-own-600000x1` is of 600,000 names seen once,
`-from-registry` learned from other names than it is measured on, `-on-registry` learned from and is measured on these.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.evaluation import subject
from namewarden.evaluation.subject import Subject
from namewarden.training.data import Corpus
from namewarden.training.kept import NOTE, REGISTRY, digest, made_of
from namewarden.training.recipe import FitOptions, Neural, Recipe, bounded
from namewarden.training.recipes import find


class Terms(Struct, frozen=True):
    """What is asked of a fit; zeros are the recipe's own. `learn`: names to learn from, if not those of `data`."""

    recipe: str
    out: Path
    data: Path
    fitted: Path | None = None
    examples: int = 0
    epochs: int = 0
    learn: Path | None = None

    @property
    def asked(self) -> FitOptions:
        return bounded(find(self.recipe).options, self.examples, self.epochs)

    @property
    def folder(self) -> Path:
        """Of all recipes fitted on these terms."""
        where = budget(find(self.recipe), self.asked) + self._names("-")
        return self.fitted or self.out / f"fitted{where}"

    @property
    def options(self) -> FitOptions:
        """Those with which it was fitted, if it was."""
        there = self.folder / self.recipe
        return made_of(there).options if (there / NOTE).is_file() else self.asked

    def made_of(self, corpus: Corpus) -> str:
        """A digest of what decides a fit but for the recipe's own code."""
        return sha256(repr((self.options, digest(corpus))).encode()).hexdigest()[:12]

    @property
    def name(self) -> str:
        where = self._names("-from-" if self.learn else "-on-")
        return f"{self.recipe}{budget(find(self.recipe), self.options)}{where}"

    @property
    def title(self) -> str:
        recipe, options = find(self.recipe), self.options
        bound = f", {options.examples:,} names" if options.examples else ""
        times = f", seen {options.epochs}×" if budget(recipe, options) else ""
        return f"recipe {self.recipe}{bound}{times}{self._learned_from()}"

    def _names(self, how: str) -> str:
        if self.learn:
            return how + ("registry" if self.learn == REGISTRY else self.learn.stem)
        return f"{how}registry" if self.data == REGISTRY else ""

    def _learned_from(self) -> str:
        if self.learn:
            return f", learned from {source(self.learn)}"
        return f", on {source(self.data)}" if self.data == REGISTRY else ""


def source(learn: Path) -> str:
    return "the registry's names alone" if learn == REGISTRY else learn.name


def budget(recipe: Recipe, options: FitOptions) -> str:
    """Nothing where the recipe has all names as often as it wants."""
    own = recipe.options
    if (options.examples, options.epochs) == (own.examples, own.epochs):
        return ""
    return f"-{options.examples or 'all'}x{options.epochs}"


def measured(terms: Terms, corpus: Corpus, notify: Callable[[str], None]) -> Subject:
    """Fitted on the corpus; one of other names knows none of these families. ImportError without the extra `train`."""
    notify(f"{terms.title}: fitting, or loading from {terms.folder / terms.recipe}")
    recipe = find(terms.recipe)
    if isinstance(recipe, Neural) and recipe.graph:
        found = _exported(recipe, terms, corpus)
    else:
        found = subject.of_recipe(terms.recipe, corpus, terms.folder, terms.options)
    found = msgspec.structs.replace(found, name=f"recipe-{terms.name}", title=terms.title)
    return msgspec.structs.replace(found, guess=None) if terms.learn else found


def _exported(recipe: Neural, terms: Terms, corpus: Corpus) -> Subject:
    """As a model's folder in OUT: families, p-values and time are the product's."""
    from namewarden.training import train
    from namewarden.training.export import export

    network = train.taught(corpus, recipe, terms.folder / recipe.name, terms.options)
    folder = terms.out / f"recipe-{terms.name}"
    export(recipe, network, corpus, folder)
    found = subject.of_model(folder)
    return msgspec.structs.replace(found, about=f"{recipe.source}: {recipe.layers}. {found.about}")
