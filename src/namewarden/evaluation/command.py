"""`namewarden evaluate`: reads what is wanted, measures, writes. Its counterpart is `cli/model.py`.

Into --out go `<name>.json` (all figures), `<name>.md` (the report), `card.md` (the packaged or given model's), and
`comparison.md` when figures of several models lie there.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from namewarden.evaluation import card, compare, figures, left_out, page, report, run, subject
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.given import Given, MissingError, load
from namewarden.evaluation.left_out import FOLDS, Fold
from namewarden.evaluation.subject import Subject
from namewarden.training.data import HELD, Corpus
from namewarden.training.fit import fit
from namewarden.training.kept import NOTE, find_data, made_of
from namewarden.training.recipe import Judge, Options
from namewarden.training.recipes import find, names

PACKAGED = "packaged"
OWN = "own"  # the recipe of the packaged model: its leave-one-out is shown with it


class Wish(Struct, frozen=True):
    """The command's options."""

    command: str
    data: Path | None
    out: Path
    model: Path | None = None
    recipe: str = ""
    quick: bool = False
    fitted: Path | None = None
    examples: int = 0
    left_out: bool = False
    folds: int = FOLDS
    docs: Path | None = None


def evaluate(wish: Wish, console: Console) -> str:
    """Measure and write; returns the report. MissingError, ModelError, PageError."""
    wish.out.mkdir(parents=True, exist_ok=True)
    say = _sayer(console)
    with redirect_stdout(sys.stderr):  # the bars of fits; standard output is the report's
        measured, given, folds = _recipe(wish, say) if wish.recipe else _model(wish, say)
    about = _about(wish, measured, given)
    options = _size(wish)
    with _progress(console) as tell:
        found = run.evaluate(measured, given.corpus, given.names, about, options, tell, folds)
    text = report.render(found)
    beside = _write(wish, measured, found, text)
    return f"{text}\n{beside}"


Measured = tuple[Subject, Given, list[Fold]]  # on which names; what is kept of its leave-one-out


def _model(wish: Wish, say: Callable[[str], None]) -> Measured:
    if wish.left_out:
        raise MissingError("--left-out needs --recipe: a finished model cannot unlearn")
    measured = subject.of_model(wish.model)
    assert measured.model
    held = frozenset(measured.model.manifest.unseen_families)
    given = load(_data(wish), held, wish.out, say)
    kept = [] if wish.model else left_out.load(wish.out / f"left-out-{OWN}.json")
    return measured, given, kept


def _data(wish: Wish) -> Path:
    data = wish.data or find_data(Path.cwd())
    if data is None:
        raise MissingError(
            "no names to measure on: give the folder of the lists with --data, or --data - for the package registry's"
        )
    return data


def _recipe(wish: Wish, say: Callable[[str], None]) -> Measured:
    """Fitted in --fitted, each fold in OUT/fold-N-of-K; what is there is not fitted again."""
    if wish.recipe not in names():
        raise MissingError(f"no recipe {wish.recipe}; there are {', '.join(names())}")
    given = load(_data(wish), HELD, wish.out, say)
    out = wish.fitted or wish.out / "fitted"
    say(f"fitting {wish.recipe}, or loading it from {out / wish.recipe}")
    try:
        options = _options(wish, out)
        measured = subject.of_recipe(wish.recipe, given.corpus, out, options)
    except ImportError as error:
        raise MissingError(f"{error.name} is missing: install namewarden[train]") from error
    kept = wish.out / f"left-out-{wish.recipe}.json"
    if not wish.left_out:
        return measured, given, left_out.load(kept)

    def fit_fold(corpus: Corpus, number: int) -> Judge:
        say(f"leaving out fold {number + 1} of {wish.folds}")
        return fit(wish.recipe, corpus, wish.out / f"fold-{number + 1}-of-{wish.folds}", options)

    return measured, given, left_out.run(given.corpus, fit_fold, kept, wish.folds)


def _size(wish: Wish) -> run.Options:
    """Recipes run as they were trained, slowly: fewer exhaustive edits."""
    if wish.quick:
        return run.QUICK
    return run.Options(edited=2) if wish.recipe else run.Options()


def _options(wish: Wish, out: Path) -> Options:
    """Those with which it was fitted; for a new fit the recipe's, with --examples."""
    if (out / wish.recipe / NOTE).is_file():
        return made_of(out / wish.recipe).options
    options = find(wish.recipe).options
    return msgspec.structs.replace(options, examples=wish.examples) if wish.examples else options


def _about(wish: Wish, measured: Subject, given: Given) -> About:
    options = _size(wish)
    return About(
        subject=measured.name,
        title=measured.title,
        about=measured.about,
        made_with=wish.command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
        names=given.source,
        quick=wish.quick,
        most=options.per_family,
        learned=measured.learned,
        notes=_notes(measured, given),
    )


def _notes(measured: Subject, given: Given) -> list[str]:
    """What a reader of the figures would else take wrongly."""
    notes = []
    here = len(given.corpus.benign["calibration"])
    if measured.model and measured.model.manifest.calibration_names != here:
        was = measured.model.manifest.calibration_names
        notes.append(
            f"The model's thresholds were set on {was:,} names, {here:,} set them here: it was made from other "
            "lists or by another rule. Shares found are at the thresholds set here; actions are by the model's own."
        )
    if new := given.corpus.known["test"].keys() - set(measured.learned):
        notes.append(
            f"Nothing was learned from these of the known families: {', '.join(sorted(new))}."
        )
    return notes


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    kind = names[0] if names else platform.processor() or platform.machine()
    about = f"{platform.system()}, Python {platform.python_version()}"
    return f"{kind}, {os.cpu_count()} cores, {about}, load {os.getloadavg()[0]:.1f} at the start"


def _write(wish: Wish, measured: Subject, found: Figures, text: str) -> str:
    """All files; returns the comparison, empty when there is nothing to compare with."""
    figures.write(wish.out / f"{measured.name}.json", found)
    (wish.out / f"{measured.name}.md").write_text(text, encoding="utf-8")
    beside = _comparison(found, wish.out)
    if beside:
        (wish.out / "comparison.md").write_text(beside, encoding="utf-8")
    if measured.model:
        manifest = measured.model.manifest
        card.write(wish.out / "card.md", manifest, measured.files["model.onnx"], found)
        if wish.docs:
            card.write(measured.folder / "card.md", manifest, measured.files["model.onnx"], found)
    if wish.docs:
        page.put(wish.docs, f"{text}\n{beside}")
        figures.write(wish.docs.with_suffix(".json"), found)
    return beside


def _comparison(found: Figures, out: Path) -> str:
    """The packaged model beside all others whose figures lie there; without it, this one beside them."""
    every = {path.stem: it for path in sorted(out.glob("*.json")) if (it := _figures(path))}
    ours = every.pop(PACKAGED, None) or every.pop(found.about.subject)
    others = [every[name] for name in sorted(every)]
    return f"### Beside other models\n\n{compare.show(ours, others)}" if others else ""


def _figures(path: Path) -> Figures | None:
    """None for another file, or figures of another version."""
    try:
        return figures.read(path)
    except msgspec.DecodeError:
        return None


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda what: console.print(what, highlight=False)


@contextmanager
def _progress(console: Console) -> Iterator[run.Tell]:
    columns = (TextColumn("{task.description:28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        bar = progress.add_task("", total=run.PARTS)

        def tell(what: str) -> None:
            progress.update(bar, description=what, advance=1)

        yield tell
        progress.update(bar, description="measured", completed=run.PARTS)
