"""What is asked of a running product through its hub: the log, what is decided about names, its health."""

import contextlib
import ipaddress
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from namewarden.cli.shared import ConfigFile, fail, notify, plain, put, settings_of
from namewarden.query import Action, Reason, Status

if TYPE_CHECKING:
    from namewarden.hub.client import HubClient

Url = Annotated[str, typer.Option(help="Hub elsewhere, such as https://hub.example.org:8050.")]
Token = Annotated[
    str, typer.Option(envvar="NAMEWARDEN_TOKEN", help="Bearer token for --url.", show_envvar=False)
]


FOLLOWED = 10  # queries that --follow begins with
LATE, MOST, PACE = (
    30.0,
    10_000,
    1.0,
)  # seconds a report may be late; rows looked at; seconds between looks


class TableFormat(StrEnum):
    table = "table"
    jsonl = "jsonl"
    csv = "csv"


@contextmanager
def asking(config: Path | None, url: str, token: str) -> "Iterator[HubClient]":
    """The hub: by its Unix socket, whose permissions are the password, or elsewhere by URL and token."""
    from namewarden.hub.client import HubClient, HubError
    from namewarden.process.paths import Paths

    settings = settings_of(config)
    try:
        with HubClient(Paths(settings.data_dir).hub_socket, url, token) as client:
            yield client
    except HubError as error:
        fail(str(error).removeprefix("expires_in: "))  # the API's word, which no option here has


def query(
    since: Annotated[str, typer.Option(help="10m, 2h, 7d, or a time as the log shows it.")] = "",
    until: Annotated[str, typer.Option(help="The same.")] = "",
    name: Annotated[str, typer.Option(help="A name, or *.example.org.")] = "",
    client: Annotated[str, typer.Option(help="An address, or a network.")] = "",
    type: Annotated[str, typer.Option(help="Query type.")] = "",
    action: Annotated[Action | None, typer.Option(help="What was done.")] = None,
    reason: Annotated[Reason | None, typer.Option(help="Why.")] = None,
    status: Annotated[Status | None, typer.Option(help="How the answer came about.")] = None,
    group: Annotated[str, typer.Option(help="The client's group.")] = "",
    source: Annotated[str, typer.Option(help="Who reported it.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="The newest so many.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Oldest first, and what comes in until Ctrl-C.")
    ] = False,
    format: Annotated[TableFormat, typer.Option()] = TableFormat.table,
    url: Url = "",
    token: Token = "",
    config: ConfigFile = None,
) -> None:
    """The event log, newest first: who asked what, what was done, and why."""
    filters = {
        "since": _zoned(since), "until": _zoned(until), "name": name, "client": _client(client),
        "qtype": type, "action": action or "", "reason": reason or "", "status": status or "",
        "group": group, "source": source,
    }  # fmt: skip
    with asking(config, url, token) as hub:
        _check_known(hub, {"group": group, "source": source})
        if follow:
            _follow(hub, filters, limit or FOLLOWED, format)
            return
        if format is not TableFormat.table:
            for part in hub.export(filters, format.value, limit):
                sys.stdout.buffer.write(part)
            return
        rows = 0
        for rows, row in enumerate(hub.queries(filters, limit), 1):  # noqa: B007
            put(plain(_row(row)))
        if not rows:
            notify("no query in the log is like this")


def _check_known(hub: "HubClient", given: dict[str, str]) -> None:
    """A group or source that is not there, and of which the log has nothing, is a slip of the pen."""
    for word, text in given.items():
        if not text or any(hub.queries({word: text}, 1)):
            continue
        if text not in (known := hub.known(word)):
            fail(f"there is no {word} {text} ({word}s: {', '.join(known)})")


def _client(text: str) -> str:
    try:
        if "/" in text:
            return str(ipaddress.ip_network(text, strict=False))
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError as error:
        fail(f"--client: {error}", 2)


def _follow(hub: "HubClient", filters: dict[str, str], limit: int, format: TableFormat) -> None:
    """Sources report in batches, some late: what was said is known for a while, so that it is said once."""
    if format is TableFormat.csv:
        fail("--follow: --format is table or jsonl", 2)
    said: set[str] = set()
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            rows = list(hub.queries(filters, limit))
            for row in reversed(rows):
                if row["id"] not in said:
                    put(plain(_row(row)) if format is TableFormat.table else json.dumps(row))
            said = {row["id"] for row in rows}
            if rows:
                filters, limit = {**filters, "since": str(rows[0]["time"] - LATE)}, MOST
            time.sleep(PACE)


def _zoned(time: str) -> str:
    """A time without zone is the local one here, as the table shows it; to the hub it would be UTC."""
    try:
        return datetime.fromisoformat(time).astimezone().isoformat()
    except ValueError:
        return time


def _row(event: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(event["time"]).astimezone().isoformat(" ", "seconds")
    score = "" if event["score"] is None else f"{event['score']:.4f}"
    times = f"×{event['count']}" if event["count"] > 1 else ""
    said = (event["family"], event["rule"], times)
    return (
        f"{moment}  {event['client']:15}  {event['qtype']:5} {event['name']:40} {event['status']:13}"
        f" {event['rcode']:8} {event['action']:8} {event['reason']:15} {score:6} {' '.join(filter(None, said))}"
    ).rstrip()


For = Annotated[str, typer.Option("--for", metavar="1d", help="How long; unset = for good.")]
Why = Annotated[str, typer.Option("--reason", help="Shown to who asks why.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do so though many popular names are below it.")]
Below = Annotated[bool, typer.Option("--below", help="The name and all names below it.")]


def _deciding(verdict: str, help: str) -> Callable[..., None]:
    """The command that says this of a name."""

    def decide(
        name: str, time: For = "", reason: Why = "", below: Below = False, yes: Sure = False,
        url: Url = "", token: Token = "", config: ConfigFile = None,
    ) -> None:  # fmt: skip
        _check_name(name)
        if below and verdict == "malicious" and not yes:
            _check_reach(name)
        with asking(config, url, token) as hub:
            made = hub.decide(name, verdict, time, reason, "both" if below else "exact")
            _wait(hub, _decided(made))

    decide.__doc__ = help
    return decide


allow = _deciding(
    "benign", "Let a name pass, whatever lists and model say; in force when it returns."
)
deny = _deciding(
    "malicious", "Block a name, whatever subscribed lists and model say; in force when it returns."
)


def _check_name(name: str) -> None:
    """`-` is what other commands take for standard input, and no name."""
    if not any(char.isalnum() for char in name):
        fail(f"{name!r} is no domain name such as bad.example.org", 2)


def _check_reach(name: str) -> None:
    """Who blocks much of what people use must know."""
    from namewarden.policy.broad import popular
    from namewarden.policy.names import listed

    names = popular()
    reach = names.below(listed(name) or "")
    if reach:
        some = ", ".join(names.examples(listed(name) or ""))
        fail(
            f"{name} and all below it are {reach:,} of the 10,000 most popular names, such as {some}: "
            "--yes blocks them",
            2,
        )


def undo(name: str, url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """Take back what `allow` or `deny` said about a name."""
    with asking(config, url, token) as hub:
        hub.undo(name)
        _wait(hub, f"nothing is decided about {name} any more")


Group = Annotated[str, typer.Option(help="For the clients of this group alone.")]


def pause(
    time: Annotated[str, typer.Argument(metavar="[TIME]", help="5m, 1h, 1d.")] = "5m",
    group: Group = "",
    url: Url = "",
    token: Token = "",
    config: ConfigFile = None,
) -> None:
    """Block nothing for a while: no list, no rule, no model; it ends by itself."""
    with asking(config, url, token) as hub:
        made = hub.pause(time, group)
        _wait(hub, f"paused {_whose(group)} {_until(made['expires'])}")


def resume(group: Group = "", url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """End a pause before its time."""
    with asking(config, url, token) as hub:
        if not hub.resume(group):
            others = ", ".join(f"{_whose(p['group'])} {_until(p['expires'])}" for p in hub.pauses())
            fail(f"nothing is paused {_whose(group)}" + (f" (paused: {others})" if others else ""))
        _wait(hub, f"resumed {_whose(group)}")


def _whose(group: str) -> str:
    return f"for group {group}" if group else "for all"


def decisions(url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """Pauses, and what `allow` and `deny` said about names: until when, by whom, and why."""
    with asking(config, url, token) as hub:
        for each in hub.pauses():
            put(f"paused {_whose(each['group'])} {_until(each['expires'])}")
        for each in hub.decisions():
            put(plain(f"{_decided(each)}  {each['by']}  {each['reason']}".rstrip()))


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


def _wait(hub: "HubClient", done: str) -> None:
    problem = hub.until_in_force()
    put(f"{done}: not in force yet: {problem}" if problem else f"{done}: in force")


def healthcheck(url: Url = "", token: Token = "", config: ConfigFile = None) -> None:
    """Does DNS answer and is the hub ready? Exit status 0 = yes, though what is degraded is said beside."""
    from namewarden.health import dns_problem

    settings = settings_of(config)
    problems = [] if url else [f"DNS: {text}" for text in dns_problem(settings.dns.listen)]
    with asking(config, url, token) as hub:
        found, degraded = hub.health(), hub.problems()
    problems += [f"{part}: {said}" for part, said in found["parts"].items() if said != "ok"]
    for text in degraded:
        notify(f"degraded: {text}")
    if problems:
        fail("\n".join(problems))
    put("healthy")
