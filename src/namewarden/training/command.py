"""`namewarden train`: names in, a model's folder out. Its counterpart is `cli/model.py`.

What is needed and missing is said before the first name is read: the extra `train`, a recipe that is packaged, the
lists. What takes long goes on where it was killed: assembled names and weights are kept in OUT.
"""

import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.training.data import HELD, Corpus
from namewarden.training.kept import NAMES, REGISTRY, NamesError, find_data, load_corpus, source
from namewarden.training.recipe import Neural, bounded


class TrainError(Exception):
    """Something that training needs is not there, or OUT is another run's; says what to give."""


class TrainCommand(Struct, frozen=True):
    """The command's options."""

    out: Path
    data: Path | None = None
    recipe: str = "own"
    model: Path | None = None
    epochs: int = 0
    examples: int = 0
    device: str = "auto"
    all_families: bool = False

    @property
    def folder(self) -> Path:
        """Where the model goes."""
        return self.model or self.out / "model"


def train(command: TrainCommand, notify: Callable[[str], None]) -> str:
    """Learn and write the model's folder; returns what there is now and what to do with it. TrainError."""
    try:
        from namewarden.training import export
        from namewarden.training import train as loop

        recipe = _recipe(command.recipe)
    except ImportError as error:
        raise TrainError(f"{error.name} is missing: install namewarden[train]") from error
    loop.choose_device(command.device)
    with redirect_stdout(sys.stderr):  # bars; standard output is the result's
        corpus = _corpus(command, notify)
        _make(command.folder)
        options = bounded(recipe.options, command.examples, command.epochs)
        network = loop.taught(corpus, recipe, command.out, options)
        notify("setting thresholds on names that nothing was learned from")
        model = export.export(recipe, network, corpus, command.folder)
    return "\n".join(
        [f"model {model.manifest.digest[:12]} is in {command.folder}", *_next(command)]
    )


def _recipe(name: str) -> Neural:
    from namewarden.training.recipes import find, names

    if name not in names():
        raise TrainError(f"no recipe {name}; there are {', '.join(names())}")
    recipe = find(name)
    if not isinstance(recipe, Neural) or recipe.graph is None:
        raise TrainError(
            f"{name} is a recipe to compare with, no model is made of it: namewarden evaluate --recipe {name}"
        )
    return recipe


def _corpus(command: TrainCommand, notify: Callable[[str], None]) -> Corpus:
    """Those kept in OUT, else the names of --data, the shared folder, the registry."""
    data = command.data or source(command.out) or find_data(Path.cwd()) or REGISTRY
    if (command.out / NAMES).exists():
        notify(f"names: those kept in {command.out}")
    else:
        notify(f"names: of {'the package registry' if data == REGISTRY else data} (a minute)")
    try:
        corpus = load_corpus(data, command.out, frozenset() if command.all_families else HELD)
    except FileNotFoundError as error:
        raise TrainError(
            f"{error.filename} is missing: give the folder of the lists with --data, or - for the package registry's"
        ) from error
    except NamesError as error:
        raise TrainError(str(error)) from error
    except (msgspec.DecodeError, OSError) as error:
        raise TrainError(f"{data} or {command.out}: {error}") from error
    _check(corpus, command)
    return corpus


def _check(corpus: Corpus, command: TrainCommand) -> None:
    """A kept corpus may be of a run that taught more families, or fewer, than this one is to."""
    taught = corpus.known["train"].keys()
    away = {*corpus.choose, *corpus.unseen}
    if away if command.all_families else HELD & taught:
        kept = "some families are kept away" if away else "no family is kept away"
        raise TrainError(f"in the names kept in {command.out} {kept}: give another --out")
    if not (taught and corpus.known["calibration"] and corpus.benign["calibration"]):
        raise TrainError("too few names: some to learn from and some to set thresholds are needed")


def _make(folder: Path) -> None:
    """Now, and not after hours of learning, it is known that the model has a place."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainError(f"--model {folder}: {error.strerror}") from error


def _next(command: TrainCommand) -> list[str]:
    measure = ["namewarden", "evaluate", "--model", str(command.folder)]
    measure += ["--data", str(command.data)] if command.data else []
    return [
        f"measure it:      {shlex.join(measure)}",
        f'put it in force: path = "{command.folder.absolute()}" below [model] in namewarden.toml',
    ]
