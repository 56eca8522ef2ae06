"""The command line: reads arguments, calls one function of `app.py`, prints what comes back.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 the answer is "no"
(unhealthy, invalid, refused), 2 wrong use. Rooms are imported where a command needs them, so that `--help`
and small commands answer at once.
"""

import ipaddress
import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from msgspec import to_builtins

from namewarden import config as configuration
from namewarden.query import Action

if TYPE_CHECKING:
    from namewarden.detector.explain import Explanation
    from namewarden.hub.client import Client

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


def show_version(wanted: bool) -> None:
    if wanted:
        put(f"namewarden {version('namewarden')}")
        raise typer.Exit


@app.callback()
def first(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """A DNS firewall that judges names."""


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file; else ./namewarden.toml, else /etc."),
]
NOT_EXPLAINED = ("id", "time", "door", "count")  # of an event: its own, not the name's
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
    from namewarden.stages import own

    settings = settings_of(config)
    with config_errors():
        if problems := own.read(settings.local.records).problems:
            raise configuration.ConfigError(problems)
    for each in settings.lists:
        if not Path(each.source).is_file():
            say(f"list {each.name!r}: there is no file {Path(each.source).absolute()} yet")
    put(f"right: {configuration.find_file(config) or 'no file, all defaults'}")


@config_app.command("show")
def config_show(config: ConfigFile = None) -> None:
    """Print what holds, defaults and environment included, as TOML."""
    put(configuration.to_toml(settings_of(config)))


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON schema of the configuration."""
    put(json.dumps(configuration.schema(), indent=2))


@contextmanager
def start_errors() -> Iterator[None]:
    """What keeps a process from starting is one clear line, not a traceback."""
    from namewarden.places import StartError
    from namewarden.sockets import BindError

    try:
        yield
    except (StartError, BindError) as error:
        fail(str(error))


@app.command()
def run(config: ConfigFile = None) -> None:
    """Serve: DNS, hub and all they need, until Ctrl-C."""
    from namewarden import app as product

    settings = settings_of(config)
    with start_errors():
        product.run(settings, configuration.find_file(config), say)


@app.command()
def resolver(config: ConfigFile = None, worker: int = 0, link: LinkText = None) -> None:
    """Serve DNS and the verdict API alone, by the policy that the hub last published."""
    from namewarden import resolver as process
    from namewarden.supervise import Link

    settings = settings_of(config)
    with start_errors():
        process.serve_resolver(settings, Link.from_text(link) if link else None, worker, say)


@app.command()
def hub(config: ConfigFile = None, link: LinkText = None) -> None:
    """Serve API, event store and status page alone, and publish the policy."""
    from namewarden import hub_process
    from namewarden.supervise import Link

    settings = settings_of(config)
    with start_errors():
        hub_process.serve_hub(settings, Link.from_text(link) if link else None, say)


@app.command()
def score(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]")] = "-",
    format: Annotated[ScoreFormat, typer.Option()] = ScoreFormat.tsv,
    config: ConfigFile = None,
) -> None:
    """Judge names, one a line, by the model alone: name, score, band, family, action."""
    from namewarden.detector.label import Labels, dynamic_providers
    from namewarden.detector.listing import lines
    from namewarden.detector.model import PACKAGED, Model, ModelError
    from namewarden.detector.reading import reading, watching

    settings = settings_of(config)
    try:
        model = Model(settings.model.path or PACKAGED)
        with reading(file) as names, watching(names) as seen:
            for line in lines(seen, model, Labels(dynamic_providers()), format.value):
                sys.stdout.write(line + "\n")
    except ModelError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: {error.strerror}")


@app.command()
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
    examples: Annotated[int, typer.Option(help="Names at most for a new fit; 0: all.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer names, a minute.")] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Also leave one generator out (K fits).")
    ] = False,
    folds: Annotated[int, typer.Option(min=2, help="K.")] = 5,
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
    wish = command.Wish(
        command=words,
        data=data,
        out=out,
        model=model,
        recipe=recipe,
        quick=quick,
        fitted=fitted,
        examples=examples,
        left_out=left_out,
        folds=folds,
        docs=write_docs,
    )
    try:
        put(command.evaluate(wish, Console(stderr=True)))
    except (MissingError, ModelError, PageError) as error:
        fail(str(error))


@app.command()
def explain(
    name: str,
    client: Annotated[str, typer.Option(help="Address that asks.")] = "127.0.0.1",
    type: Annotated[str, typer.Option(help="Query type.")] = "A",
    format: Annotated[TextFormat, typer.Option()] = TextFormat.text,
    config: ConfigFile = None,
) -> None:
    """Say what the model sees in a name, then walk the real chain with it: what is decided, and why. Nothing is
    recorded."""
    from namewarden.detector.explain import lines

    settings = settings_of(config)
    try:
        asked, address = _asked(name), str(ipaddress.ip_address(client))
        with start_errors():
            seen = _by_model(settings, asked)
        told = _by_chain(settings, asked, type, address)
    except ValueError as error:
        fail(str(error), 2)
    if format is TextFormat.json:
        put(json.dumps({"name": asked, "client": client, **told, "explanation": to_builtins(seen)}))
        return
    put("\n".join([f"{'name':10} {asked}", *lines(seen)]))
    if told:
        told["duration"] = f"{told['duration'] * 1000:.1f} ms"
        told["score"] = None if told["score"] is None else f"{told['score']:.4f}"
        put("\nwhat the chain does with it:")
        put("\n".join(f"{field:10} {_plain(value)}" for field, value in told.items()))


def _by_model(settings: configuration.Settings, name: str) -> "Explanation":
    """StartError."""
    from namewarden.detector.explain import explain
    from namewarden.detector.label import Labels, dynamic_providers
    from namewarden.line import model_of

    return explain(Labels(dynamic_providers()).find(name), model_of(settings, say))


def _by_chain(
    settings: configuration.Settings, name: str, type: str, client: str
) -> dict[str, Any]:
    """What would be logged, or nothing where no policy was ever published: the model alone needs none."""
    from namewarden import resolver as process
    from namewarden.places import StartError
    from namewarden.wire.types import type_number

    number = type_number(type)
    try:
        event = process.explain(settings, name, number, client, say)
    except StartError as error:
        say(f"lists, rules and answers were not asked: {error}")
        return {}
    kept = [field for field in event.__struct_fields__ if field not in NOT_EXPLAINED]
    return {field: getattr(event, field) for field in kept}


def _asked(name: str) -> str:
    """The name as a client would ask for it: letters of all scripts become xn--, others than letters, digits, - and _
    are escaped. ValueError."""
    from namewarden.policy.names import listed
    from namewarden.wire.errors import WireError
    from namewarden.wire.names import from_wire, to_wire

    if not name or "://" in name:
        raise ValueError(f"{name!r} is no name such as www.example.org")
    try:
        return from_wire(to_wire(name if name.isascii() else listed(name) or name), 0)[0]
    except WireError as error:
        raise ValueError(str(error)) from error


def _plain(value: object) -> str:
    """A field for people; an empty one as a dash."""
    if isinstance(value, tuple | list):
        return " ".join(str(each) for each in value) or "-"
    return "-" if value in (None, "") else str(value)


@lists_app.command("check")
def lists_check(
    file: Path,
    format: Annotated[
        configuration.ListFormat, typer.Option(help="auto, or one of the nine formats.")
    ] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="Only the totals.")] = False,
) -> None:
    """Say what each line of a list became, or why it was skipped."""
    from collections import Counter

    from namewarden.policy.check import Totals, check
    from namewarden.policy.errors import ListError

    counted = Totals(Counter())
    try:
        for line in check(file, format):
            counted.add(line)
            if not quiet:
                put("\n".join(f"{line.number}: {line.text}  →  {said}" for said in line.says))
    except ListError as error:
        fail(f"{file}: {error}")
    put(f"{counted.lines} lines, {counted.rules} became rules, {counted.odd} skipped")
    for reason, count in counted.skipped.most_common():
        put(f"  {count} {reason}")


Url = Annotated[str, typer.Option(help="Hub elsewhere, such as https://hub.example.org:8050.")]
Token = Annotated[
    str, typer.Option(envvar="NAMEWARDEN_TOKEN", help="Bearer token for --url.", show_envvar=False)
]


@contextmanager
def asking(config: Path | None, url: str, token: str) -> "Iterator[Client]":
    """The hub: by its Unix socket, whose permissions are the password, or elsewhere by URL and token."""
    from namewarden.hub.client import Client, HubError
    from namewarden.places import Places

    settings = settings_of(config)
    try:
        with Client(Places(settings.data_dir).hub_socket, url, token) as client:
            yield client
    except HubError as error:
        fail(str(error))


@app.command()
def query(
    since: Annotated[str, typer.Option(help="10m, 2h, 7d, or a time as the log shows it.")] = "",
    name: Annotated[str, typer.Option(help="A name, or *.example.org.")] = "",
    client: Annotated[str, typer.Option(help="An address.")] = "",
    action: Annotated[Action | None, typer.Option(help="What was done.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many.")] = None,
    format: Annotated[TableFormat, typer.Option()] = TableFormat.table,
    url: Url = "",
    token: Token = "",
    config: ConfigFile = None,
) -> None:
    """The event log, newest first: who asked what, what was done, and why."""
    try:
        client = str(ipaddress.ip_address(client)) if client else ""
    except ValueError as error:
        fail(f"--client: {error}", 2)
    filters = {"since": _zoned(since), "name": name, "client": client, "action": action or ""}
    with asking(config, url, token) as hub:
        if format is not TableFormat.table:
            for part in hub.export(filters, format.value, limit):
                sys.stdout.buffer.write(part)
            return
        rows = 0
        for rows, row in enumerate(hub.queries(filters, limit), 1):  # noqa: B007
            put(_row(row))
        if not rows:
            say("no query in the log is like this")


def _zoned(time: str) -> str:
    """A time without zone is the local one here, as the table shows it; to the hub it would be UTC."""
    try:
        return datetime.fromisoformat(time).astimezone().isoformat()
    except ValueError:
        return time


def _row(event: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(event["time"]).isoformat(" ", "seconds")
    score = "" if event["score"] is None else f"{event['score']:.4f}"
    times = f"×{event['count']}" if event["count"] > 1 else ""
    return (
        f"{moment}  {event['client']:15}  {event['qtype']:5} {event['name']:40} {event['status']:13}"
        f" {event['action']:8} {event['reason']:15} {score:6} {event['rule']} {times}"
    ).rstrip()


For = Annotated[str, typer.Option("--for", metavar="1d", help="How long; unset = for good.")]
Why = Annotated[str, typer.Option("--reason", help="Shown to who asks why.")]
Below = Annotated[bool, typer.Option("--below", help="The name and all names below it.")]


@app.command()
def allow(
    name: str, time: For = "", reason: Why = "", below: Below = False, url: Url = "",
    token: Token = "", config: ConfigFile = None,
) -> None:  # fmt: skip
    """Let a name pass, whatever lists and model say; in force when it returns."""
    with asking(config, url, token) as hub:
        made = hub.decide(name, "benign", time, reason, "both" if below else "exact")
        _wait(hub, _decided(made))


@app.command()
def deny(
    name: str, time: For = "", reason: Why = "", below: Below = False, url: Url = "",
    token: Token = "", config: ConfigFile = None,
) -> None:  # fmt: skip
    """Block a name, whatever subscribed lists and model say; in force when it returns."""
    with asking(config, url, token) as hub:
        made = hub.decide(name, "malicious", time, reason, "both" if below else "exact")
        _wait(hub, _decided(made))


@app.command()
def undo(name: str, url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """Take back what `allow` or `deny` said about a name."""
    with asking(config, url, token) as hub:
        hub.undo(name)
        _wait(hub, f"nothing is decided about {name} any more")


@app.command()
def decisions(url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """What `allow` and `deny` said about names: until when, by whom, and why."""
    with asking(config, url, token) as hub:
        for each in hub.decisions():
            put(f"{_decided(each)}  {each['by']}  {each['reason']}".rstrip())


def _decided(made: dict[str, Any]) -> str:
    verb = {"benign": "allow", "malicious": "deny"}.get(made["verdict"], made["verdict"])
    below = " and all below" if made["match"] == "both" else ""
    return f"{verb} {made['name']}{below} {_until(made['expires'])}"


def _until(expires: float) -> str:
    if not expires:
        return "for good"
    try:
        return f"until {datetime.fromtimestamp(expires).isoformat(' ', 'seconds')}"
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return "for good"


def _wait(hub: "Client", done: str) -> None:
    problem = hub.until_in_force()
    put(f"{done}: not in force yet: {problem}" if problem else f"{done}: in force")


@app.command()
def healthcheck(url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """Does DNS answer and is the hub ready? Exit status 0 = yes."""
    from namewarden.health import dns_problem

    settings = settings_of(config)
    problems = [] if url else [f"DNS: {text}" for text in dns_problem(settings.dns.listen)]
    with asking(config, url, token) as hub:
        found = hub.health()
    problems += [f"{part}: {said}" for part, said in found["parts"].items() if said != "ok"]
    if problems:
        fail("\n".join(problems))
    put("healthy")


def main() -> None:
    try:
        app()
    except BrokenPipeError:  # `namewarden query | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
