"""`config …` and `lists …`: is what somebody wrote right, before anything runs by it."""

import json
from pathlib import Path
from typing import Annotated

import typer

from namewarden import config as configuration
from namewarden.cli.shared import ConfigFile, config_errors, fail, notify, put, settings_of


def config_check(config: ConfigFile = None) -> None:
    """Check whether the configuration is right; every problem at once."""
    settings = settings_of(config)
    with config_errors():
        if found := problems(settings):
            raise configuration.ConfigError(found)
    for each in settings.lists:
        if not Path(each.source).is_file():
            notify(f"list {each.name!r}: there is no file {Path(each.source).absolute()} yet")
    put(f"right: {configuration.find_file(config) or 'no file, all defaults'}")


def problems(settings: configuration.Settings) -> list[str]:
    """What is wrong beyond the words of the file."""
    from namewarden.stages import own

    return [*own.read(settings.local.records).problems, *_model(settings.model.path)]


def _model(folder: Path | None) -> list[str]:
    """What is wrong with the model of the configuration, which the packaged one would stand in for."""
    from namewarden.detector.model import Model, ModelError

    try:
        if folder is not None:
            Model(folder)
    except ModelError as error:
        return [f"model.path: {error}"]
    return []


def config_show(config: ConfigFile = None) -> None:
    """Print what holds, defaults and environment included, as TOML."""
    put(configuration.to_toml(settings_of(config)))


def config_schema() -> None:
    """Print the JSON schema of the configuration."""
    put(json.dumps(configuration.schema(), indent=2))


def lists_check(
    file: Path,
    format: Annotated[
        configuration.ListFormat, typer.Option(help="auto, or one of the nine formats.")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the totals.")] = False,
    broad: Annotated[
        bool, typer.Option("--broad", help="As a list with broad = true is read.")
    ] = False,
) -> None:
    """Show what each line of a list became, or why it was skipped."""
    from collections import Counter

    from namewarden.policy.broad import popular
    from namewarden.policy.check import Totals, check
    from namewarden.policy.errors import ListError

    counted = Totals(Counter())
    try:
        for line in check(file, format, None if broad else popular()):
            counted.add(line)
            if not quiet:
                put("\n".join(f"{line.number}: {line.text}  →  {said}" for said in line.says))
    except ListError as error:
        fail(f"{file}: {error}")
    put(f"{counted.lines} lines, {counted.rules} became rules, {counted.odd} skipped")
    for reason, count in counted.skipped.most_common():
        put(f"  {count} {reason}")
