"""The model's commands: judge many names by it, train another, measure it."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from namewarden.cli.shared import ConfigFile, fail, notify, put, settings_of


class ScoreFormat(StrEnum):
    tsv = "tsv"
    jsonl = "jsonl"


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


def score(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]")] = "-",
    format: Annotated[ScoreFormat, typer.Option()] = ScoreFormat.tsv,
    config: ConfigFile = None,
) -> None:
    """Judge names, one a line, by the model alone: name, score, band, family, action."""
    from collections import Counter

    from namewarden.detector.label import Labels, dynamic_providers
    from namewarden.detector.listing import lines
    from namewarden.detector.model import PACKAGED, Model, ModelError
    from namewarden.detector.reading import reading, watching

    settings, passed = settings_of(config), Counter[str]()
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # as names are read
    try:
        model = Model(settings.model.path or PACKAGED)
        with reading(file) as names, watching(names) as seen:
            for line in lines(seen, model, Labels(dynamic_providers()), format.value, passed):
                sys.stdout.write(line + "\n")
    except ModelError as error:
        fail(str(error))
    except BrokenPipeError:  # of the output: `main` knows
        raise
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    if passed and sys.stderr.isatty():  # a script has it in JSON lines
        said = ", ".join(f"{count} {why}" for why, count in passed.most_common())
        notify(f"not judged: {said}")


def train(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of lists, else ../shared/data, else the registry's; - for the registry's."
        ),
    ] = None,
    recipe: Annotated[str, typer.Option(help="What is built.")] = "own",
    out: Annotated[Path, typer.Option(help="For names and weights.")] = Path("build/training"),
    model: Annotated[Path | None, typer.Option(help="For the model; else OUT/model.")] = None,
    epochs: Annotated[int, typer.Option(min=0, help="0: the recipe's.")] = 0,
    examples: Annotated[int, typer.Option(min=0, help="Names at most; 0: all.")] = 0,
    device: Annotated[Device, typer.Option(help="What computes.")] = Device.auto,
    all_families: Annotated[
        bool, typer.Option("--all-families", help="Keep none away to measure by.")
    ] = False,
) -> None:
    """Make a model: learn from names, set thresholds, write its folder. Killed, it goes on when it is run again."""
    from namewarden.training import command

    asked = command.TrainCommand(
        out=out,
        data=data,
        recipe=recipe,
        model=model,
        epochs=epochs,
        examples=examples,
        device=device.value,
        all_families=all_families,
    )
    try:
        put(command.train(asked, notify))
    except command.TrainError as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped: the same command goes on", 130)


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="Folder of lists, else shared/data; - for the registry's.")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Folder; else the packaged model.")] = None,
    recipe: Annotated[str, typer.Option(help="Fit and measure this recipe instead.")] = "",
    out: Annotated[Path, typer.Option(help="For results.")] = Path("build/evaluation"),
    fitted: Annotated[
        Path | None, typer.Option(help="Where recipes are fitted; else OUT/fitted.")
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="Names at most for a new fit; 0: all.")] = 0,
    epochs: Annotated[int, typer.Option(min=0, help="Of a new fit; 0: the recipe's.")] = 0,
    learn: Annotated[
        Path | None, typer.Option(help="Names to fit on, if not --data; - for the registry's.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer names, a minute.")] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Also leave one generator out (K fits).")
    ] = False,
    folds: Annotated[int, typer.Option(min=2, help="K.")] = 5,
    seed_task: Annotated[
        bool, typer.Option("--seed-task", help="Also the seed's own task (minutes).")
    ] = False,
    attacks: Annotated[bool, typer.Option(help="The cheapest attacks, too.")] = True,
    write_docs: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Page to put the report into.")
    ] = None,
) -> None:
    """Measure what the model finds, what it costs and where it errs; write report, figures and card."""
    from rich.console import Console

    from namewarden.detector.model import ModelError
    from namewarden.evaluation import command
    from namewarden.evaluation.given import MissingError
    from namewarden.evaluation.page import PageError

    words = shlex.join(["namewarden", *sys.argv[1:]])
    asked = command.EvaluateCommand(
        line=words,
        data=data,
        out=out,
        model=model,
        recipe=recipe,
        quick=quick,
        fitted=fitted,
        examples=examples,
        left_out=left_out,
        folds=folds,
        epochs=epochs,
        learn=learn,
        seed_task=seed_task,
        attacks=attacks,
        docs=write_docs,
    )
    try:
        put(command.evaluate(asked, Console(stderr=True)))
    except (MissingError, ModelError, PageError) as error:
        fail(str(error))
    except BrokenPipeError:  # of the output: `main` knows
        raise
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror or error}")
