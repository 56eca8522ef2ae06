"""The command line: reads arguments, calls one function of `app.py`, prints what comes back.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 the answer is "no"
(unhealthy, invalid, refused), 2 wrong use. Rooms are imported where a command needs them, so that `--help`
and small commands answer at once.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from namewarden import config as configuration

app = typer.Typer(
    name="namewarden",
    help="A DNS firewall that judges names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
lists_app = typer.Typer(help="Look at lists.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(lists_app, name="lists")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file; else ./namewarden.toml, else /etc."),
]
LinkText = Annotated[str | None, typer.Option("--link", hidden=True)]


class ScoreFormat(StrEnum):
    tsv = "tsv"
    jsonl = "jsonl"


class TextFormat(StrEnum):
    text = "text"
    json = "json"


class TableFormat(StrEnum):
    table = "table"
    jsonl = "jsonl"
    csv = "csv"


def say(text: str) -> None:
    """To people, not to scripts."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def put(text: str) -> None:
    """A result."""
    print(text, flush=True)  # noqa: T201


def fail(text: str, status: int = 1) -> NoReturn:
    say(text)
    raise typer.Exit(status)


def settings_of(path: Path | None) -> configuration.Settings:
    with config_errors():
        return configuration.load(path)


@contextmanager
def config_errors() -> Iterator[None]:
    try:
        yield
    except configuration.ConfigError as error:
        fail("the configuration is wrong:\n" + "\n".join(f"  {each}" for each in error.problems))


@config_app.command("check")
def config_check(config: ConfigFile = None) -> None:
    """Say whether the configuration is right; every problem at once."""
    settings_of(config)
    put(f"right: {configuration.find_file(config) or 'no file, all defaults'}")


@config_app.command("show")
def config_show(config: ConfigFile = None) -> None:
    """Print what holds, defaults and environment included, as TOML."""
    put(configuration.to_toml(settings_of(config)))


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON schema of the configuration."""
    put(json.dumps(configuration.schema(), indent=2))


def main() -> None:
    app()
