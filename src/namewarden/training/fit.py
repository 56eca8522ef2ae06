"""Any recipe, network or not, from names to a `Judge`: fitted once, kept in the folder, then only loaded.

`python -m namewarden.training.fit RECIPE DATA OUT` does it from the command line; `OUT/RECIPE/` is the recipe's.
"""

import argparse
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from namewarden.training.data import Corpus
from namewarden.training.kept import DATA, claim, load, load_corpus, save
from namewarden.training.recipe import Featured, FitOptions, Judge, Neural
from namewarden.training.recipes import find, names


def main() -> None:
    from namewarden.training.train import DEVICES, changed, choose_device

    parser = argparse.ArgumentParser(prog="python -m namewarden.training.fit", description=__doc__)
    parser.add_argument("recipe", help=f"one of {', '.join(names())}")
    parser.add_argument("data", type=Path, help=DATA)
    parser.add_argument("out", type=Path, help="folder for all recipes")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--made-up", type=int)
    parser.add_argument("--examples", type=int, help="names at most, the same for all recipes")
    given = parser.parse_args()
    choose_device(given.device)
    options = changed(find(given.recipe).options, given)
    fit(given.recipe, load_corpus(given.data, given.out), given.out, options)


def fit(name: str, corpus: Corpus, out: Path, options: FitOptions | None = None) -> Judge:
    """The judge that the recipe makes of these names; `OUT/NAME` keeps it for the next time."""
    recipe = find(name)
    options = options or recipe.options
    if isinstance(recipe, Neural):
        return _network(recipe, corpus, out / name, options)
    assert isinstance(recipe, Featured)
    return _features(recipe, corpus, out / name, options)


def _network(recipe: Neural, corpus: Corpus, out: Path, options: FitOptions) -> Judge:
    from namewarden.training import train

    return train.judge(recipe, train.taught(corpus, recipe, out, options))


def _features(recipe: Featured, corpus: Corpus, out: Path, options: FitOptions) -> Judge:
    from namewarden.training.train import learn_from

    claim(out, recipe, options, corpus)
    kept = out / "fitted.npz"
    if not kept.exists():
        examples = learn_from(corpus, options)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns) as progress:
            bar = progress.add_task(recipe.name, total=1.0)

            def tell(what: str, done: float) -> None:
                progress.update(bar, description=f"{recipe.name}: {what}", completed=done)

            save(kept, recipe.fit(examples.labels, examples.bad, options.seed, tell))
    return recipe.judge(load(kept))


if __name__ == "__main__":
    main()
