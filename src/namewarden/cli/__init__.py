"""The command line: reads arguments, calls one function of a room, prints what comes back.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 the answer is "no"
(unhealthy, invalid, refused), 2 wrong use. Rooms are imported where a command needs them, so that `--help`
and small commands answer at once. This file is the list of commands, in the order of `--help`.
"""

import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from namewarden.cli import checks, explain, harness, hub, model, processes, services
from namewarden.cli import lists as subscribed
from namewarden.cli.shared import put

app = typer.Typer(
    name="namewarden",
    help="A DNS firewall that judges names.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
lists = typer.Typer(help="Look at lists, download them.", no_args_is_help=True)


def show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        put(f"namewarden {version('namewarden')}")
        raise typer.Exit


@app.callback()
def first(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """A DNS firewall that judges names."""


COMMANDS: dict[str, Callable[..., None]] = {
    "run": processes.run,
    "resolver": processes.resolver,
    "hub": processes.hub,
    "score": model.score,
    "explain": explain.explain,
    "train": model.train,
    "evaluate": model.evaluate,
    "query": hub.query,
    "allow": hub.allow,
    "deny": hub.deny,
    "undo": hub.undo,
    "decisions": hub.decisions,
    "pause": hub.pause,
    "resume": hub.resume,
    "services": services.services,
    "healthcheck": hub.healthcheck,
    "harness": harness.harness,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
config.command("check")(checks.config_check)
config.command("show")(checks.config_show)
config.command("schema")(checks.config_schema)
lists.command("check")(checks.lists_check)
lists.command("refresh")(subscribed.lists_refresh)
app.add_typer(config, name="config")
app.add_typer(lists, name="lists")


def main() -> None:
    for stream in (sys.stdout, sys.stderr):  # what a terminal cannot show is escaped, not fatal
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except BrokenPipeError:  # `namewarden query | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
