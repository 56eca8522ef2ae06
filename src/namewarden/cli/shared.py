"""What all commands have in common: how results and problems are said, and where settings come from."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from namewarden import config as configuration
from namewarden.settings import Settings

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file; else ./namewarden.toml, else /etc."),
]


Tell = Callable[[str], None]


def notify(text: str) -> None:
    """To people, not to scripts."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def put(text: str) -> None:
    """A result."""
    print(text, flush=True)  # noqa: T201


def plain(text: str) -> str:
    """Of what others wrote: nothing in it moves a cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def fail(text: str, status: int = 1, tell: Tell = notify) -> NoReturn:
    tell(text)
    raise typer.Exit(status)


def settings_of(path: Path | None, tell: Tell = notify) -> Settings:
    with config_errors(tell):
        return configuration.load(path)


@contextmanager
def config_errors(tell: Tell = notify) -> Iterator[None]:
    try:
        yield
    except configuration.ConfigError as error:
        problems = "\n".join(f"  {each}" for each in error.problems)
        fail(f"the configuration is wrong:\n{problems}", tell=tell)


@contextmanager
def start_errors(tell: Tell = notify) -> Iterator[None]:
    """What keeps a process from starting is one clear line, not a traceback."""
    from namewarden.process.paths import StartError
    from namewarden.process.sockets import BindError

    try:
        yield
    except (StartError, BindError) as error:
        fail(str(error), tell=tell)
