"""`namewarden explain`: one name, by the model and down the real chain."""

import ipaddress
import json
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import to_builtins

from namewarden.cli.shared import ConfigFile, fail, notify, put, settings_of, start_errors
from namewarden.settings import Settings

if TYPE_CHECKING:
    from namewarden.detector.explain import Explanation
    from namewarden.query import Event

NOT_EXPLAINED = ("id", "time", "source", "count")  # of an event: its own, not the name's


class TextFormat(StrEnum):
    text = "text"
    json = "json"


def explain(
    name: str,
    client: Annotated[str, typer.Option(help="Address that asks.")] = "127.0.0.1",
    type: Annotated[str, typer.Option(help="Query type.")] = "A",
    format: Annotated[TextFormat, typer.Option()] = TextFormat.text,
    config: ConfigFile = None,
) -> None:
    """Show what the model sees in a name, then walk the real chain with it: what is decided, and why. Nothing is
    recorded."""
    from namewarden.detector.explain import lines

    settings = settings_of(config)
    try:
        asked, address = _asked(name), str(ipaddress.ip_address(client))
        tell = cache(notify)  # both find the same wrong with the configuration
        with start_errors():
            seen = _by_model(settings, asked, tell)
        told = _by_chain(settings, asked, type, address, tell)
    except ValueError as error:
        fail(str(error), 2)
    if format is TextFormat.json:
        put(json.dumps({"name": asked, "client": client, **told, "explanation": to_builtins(seen)}))
        return
    put("\n".join([f"{'name':10} {asked}", *lines(seen)]))
    if told:
        del told["duration"]  # of a process that has just begun
        told["score"] = None if told["score"] is None else f"{told['score']:.4f}"
        put("\nwhat the chain does with it:")
        put("\n".join(f"{field:10} {_plain(value)}" for field, value in told.items()))


def _by_model(settings: Settings, name: str, tell: Callable[[str], None]) -> "Explanation":
    """StartError."""
    from namewarden.detector.explain import explain
    from namewarden.detector.label import Labels, dynamic_providers
    from namewarden.process.pipeline import model_of

    return explain(Labels(dynamic_providers()).find(name), model_of(settings, tell))


def _by_chain(
    settings: Settings, name: str, type: str, client: str, tell: Callable[[str], None]
) -> dict[str, Any]:
    """What would be logged, or nothing where no policy was ever published: the model alone needs none."""
    from namewarden.process.explain import explain
    from namewarden.process.paths import StartError
    from namewarden.wire.types import type_number

    number = type_number(type)
    try:
        event = explain(settings, name, number, client, tell)
    except StartError as error:
        notify(f"lists, rules and answers were not asked: {error}")
        return {}
    kept = [field for field in event.__struct_fields__ if field not in NOT_EXPLAINED]
    return {field: getattr(event, field) for field in kept} | _zone(settings, event)


def _zone(settings: Settings, event: "Event") -> dict[str, Any]:
    """Whose servers answered, or would were the name not denied."""
    from namewarden.stages.zones import Zones

    is_here = event.reason in ("record", "special")
    zone = None if is_here else Zones(settings.zones).of(event.name, event.group)
    servers = settings.zones[zone.place].servers if zone else ()
    return {"zone": zone.name[:-1] if zone else "", "servers": servers}


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
