"""`namewarden evaluate`: reads what is wanted, measures, writes. Its counterpart is `cli/model.py`.

Into --out go `<name>.json` (all figures), `<name>.md` (the report) and `card.md` (the packaged or given model's). What
other runs left there is put beside (`kept.py`).
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

from namewarden.evaluation import (
    card,
    figures,
    fitted,
    given,
    kept,
    left_out,
    page,
    report,
    run,
    seed_task,
    subject,
)
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.fitted import Terms
from namewarden.evaluation.given import Given, MissingError, load
from namewarden.evaluation.left_out import FOLDS, Fold
from namewarden.evaluation.seed_task import Result
from namewarden.evaluation.subject import Subject
from namewarden.training.data import HELD, Corpus
from namewarden.training.fit import fit
from namewarden.training.kept import find_data
from namewarden.training.recipe import Judge
from namewarden.training.recipes import names


class EvaluateCommand(Struct, frozen=True):
    """The command's options."""

    line: str  # as it was typed
    data: Path | None
    out: Path
    model: Path | None = None
    recipe: str = ""
    quick: bool = False
    fitted: Path | None = None
    examples: int = 0
    epochs: int = 0
    learn: Path | None = None
    left_out: bool = False
    folds: int = FOLDS
    seed_task: bool = False
    attacks: bool = True
    docs: Path | None = None


def evaluate(command: EvaluateCommand, console: Console) -> str:
    """Measure and write; returns the report. MissingError, ModelError, PageError."""
    if command.docs:
        page.check(command.docs)
    command.out.mkdir(parents=True, exist_ok=True)
    notify = _notifier(console)
    with redirect_stdout(sys.stderr):  # the bars of fits; standard output is the report's
        measured, names, folds = (
            _recipe(command, notify) if command.recipe else _model(command, notify)
        )
        seed = _seed_task(command, notify) if command.seed_task else []
    about, options = _about(command, measured, names), _size(command)
    with _progress(console) as tell:
        found = run.evaluate(measured, names.corpus, names.names, about, options, tell)
    found = msgspec.structs.replace(found, left_out=folds, seed_task=seed)
    found = kept.beside(found, command.out)
    text = report.render(found)
    _write(command, measured, found, text)
    return text


Measured = tuple[Subject, Given, list[Fold]]  # on which names; what is kept of its leave-one-out


def _model(command: EvaluateCommand, notify: Callable[[str], None]) -> Measured:
    if command.left_out:
        raise MissingError("--left-out needs --recipe: a finished model cannot unlearn")
    measured = subject.of_model(command.model)
    assert measured.model
    held = frozenset(measured.model.manifest.unseen_families)
    names = load(_data(command), held, command.out, notify)
    corpus = given.as_learned(names.corpus, measured.learned)
    return measured, msgspec.structs.replace(names, corpus=corpus), []


def _data(command: EvaluateCommand) -> Path:
    data = command.data or find_data(Path.cwd())
    if data is None:
        raise MissingError(
            "no names to measure on: give the folder of the lists with --data, or --data - for the package registry's"
        )
    return data


def _recipe(command: EvaluateCommand, notify: Callable[[str], None]) -> Measured:
    if command.recipe not in names():
        raise MissingError(f"no recipe {command.recipe}; there are {', '.join(names())}")
    terms = _terms(command)
    measures = load(terms.data, HELD, command.out, notify)
    learns = measures.corpus
    if terms.learn:
        learns = given.corpus_of(terms.learn, HELD, command.out, notify)
        measures = given.not_taught(measures, learns, terms.data)
    try:
        measured = fitted.measured(terms, learns, notify)
    except ImportError as error:
        raise MissingError(f"{error.name} is missing: install namewarden[train]") from error
    return measured, measures, _folds(command, terms, learns, notify)


def _terms(command: EvaluateCommand) -> Terms:
    """Names to learn from are the others', if they are others."""
    if command.learn and command.left_out:
        raise MissingError("--left-out leaves families of --data out: not with --learn")
    data = _data(command)
    learn = None if command.learn == data else command.learn
    return Terms(
        command.recipe, command.out, data, command.fitted, command.examples, command.epochs, learn
    )


def _folds(
    command: EvaluateCommand, terms: Terms, corpus: Corpus, notify: Callable[[str], None]
) -> list[Fold]:
    """Each fold is fitted in OUT; what is there is not fitted again."""
    if not command.left_out:
        return kept.folds(command.out, terms.name)

    def fit_fold(some: Corpus, number: int) -> Judge:
        notify(f"{terms.title}: leaving out fold {number + 1} of {command.folds}")
        folder = command.out / f"fold-{number + 1}-of-{command.folds}-{terms.name}"
        return fit(command.recipe, some, folder, terms.options)

    file, of = kept.folds_file(command.out, terms.name), terms.made_of(corpus)
    return left_out.run(corpus, fit_fold, file, command.folds, terms.title, of)


def _seed_task(command: EvaluateCommand, notify: Callable[[str], None]) -> list[Result]:
    data = _data(command)
    if not (data / seed_task.BENIGN).is_file():
        raise MissingError(f"--seed-task: {data} has no {seed_task.BENIGN}")
    try:
        return seed_task.run(data, command.out / "seed-task", kept.seed_file(command.out), notify)
    except ImportError as error:
        raise MissingError(f"{error.name} is missing: install namewarden[train]") from error


def _size(command: EvaluateCommand) -> run.Sizes:
    """Recipes run as they were trained, slowly: fewer exhaustive edits, fewer names timed."""
    size = run.Sizes(edited=2, timed=500, rounds=3) if command.recipe else run.Sizes()
    return msgspec.structs.replace(run.QUICK if command.quick else size, attacks=command.attacks)


def _about(command: EvaluateCommand, measured: Subject, names: Given) -> About:
    options = _size(command)
    return About(
        subject=measured.name,
        title=measured.title,
        about=measured.about,
        made_with=command.line,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        machine=machine(),
        names=names.source,
        quick=command.quick,
        most=options.per_family,
        learned=measured.learned,
        notes=_notes(measured, names),
        recipe=command.recipe,
        learned_from=fitted.source(command.learn) if command.learn else "",
    )


def _notes(measured: Subject, names: Given) -> list[str]:
    """What a reader of the figures would else take wrongly."""
    notes = []
    here = len(names.corpus.benign["calibration"])
    if measured.model and measured.model.manifest.calibration_names != here:
        was = measured.model.manifest.calibration_names
        notes.append(
            f"The model's thresholds were set on {was:,} names, {here:,} set them here: it was made from other "
            "lists or by another rule. Shares found are at the thresholds set here; actions are by the model's own."
        )
    known = names.corpus.known["test"].keys()
    if new := known - set(measured.learned):
        which = (
            "any family"
            if new == known
            else f"these of the known families: {', '.join(sorted(new))}"
        )
        notes.append(f"Nothing was learned from {which}.")
    return notes


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    kind = names[0] if names else platform.processor() or platform.machine()
    about = f"{platform.system()}, Python {platform.python_version()}"
    return f"{kind}, {os.cpu_count()} cores, {about}, load {os.getloadavg()[0]:.1f} at the start"


def _write(command: EvaluateCommand, measured: Subject, found: Figures, text: str) -> None:
    """All files; the card is the packaged or given model's."""
    figures.write(command.out / f"{measured.name}.json", found)
    (command.out / f"{measured.name}.md").write_text(text, encoding="utf-8")
    if measured.model and not command.recipe:
        _card(command.out, measured, found)
    if command.docs:
        page.put(command.docs, text)
        figures.write(command.docs.with_suffix(".json"), found)
        if measured.model and not command.recipe:
            _card(measured.folder, measured, found)


def _card(folder: Path, measured: Subject, found: Figures) -> None:
    assert measured.model
    size = measured.files["model.onnx"]
    card.write(folder / "card.md", measured.model.manifest, size, found)


def _notifier(console: Console) -> Callable[[str], None]:
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
