"""Namewarden as a peer: `namewarden run` with a private configuration, and what its hub says it has kept."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import httpx

from bench.processes import HOST, BenchError, free_port
from bench.server import Place, Server
from namewarden.policy.errors import ListError
from namewarden.policy.part import ENTRY
from namewarden.policy.snapshot import Snapshot

CONFIG = """
schema_version = 1
data_dir = "{folder}/var"

[dns]
listen = ["{host}:{port}"]

[upstream]
servers = ["udp://{host}:{world}"]

[block]
mode = "nxdomain"

[hub]
listen = "{host}:{hub}"

[verdict]
listen = ""

[events]
enabled = {events}
{lists}"""
LATE = "model_late"  # the reason of an event whose name the model did not judge in time
LIST = """
[[lists]]
name = "{name}"
source = "{path}"
"""
OWN = "own.home.example.net"  # a name that is answered here
OWN_RECORD = f"""
[local]
records = ["{OWN} A 192.0.2.7"]
"""


def command(place: Place, has_events: bool = True, has_list: bool = True) -> list[str]:
    config = place.folder / "namewarden.toml"
    config.write_text(
        CONFIG.format(
            folder=place.folder,
            host=HOST,
            port=place.port,
            world=place.world,
            hub=free_port(),
            events=str(has_events).lower(),
            lists=LIST.format(name="million", path=place.names.listed) if has_list else "",
        )
    )
    return [sys.executable, "-m", "namewarden", "run", "--config", str(config)]


def with_second_list(path: Path) -> Server:
    """With a list beside the large one, and a record of its own."""

    def make(place: Place) -> list[str]:
        made = command(place)
        with Path(made[-1]).open("a") as config:
            config.write(OWN_RECORD + LIST.format(name="second", path=path))
        return made

    return _variant("namewarden", make, keeps_events=True)


def pure_command(place: Place) -> list[str]:
    """Without the C helper: its pure-Python twin serves."""
    return ["env", "NAMEWARDEN_PURE=1", *command(place)]


def missing() -> str:
    return "" if find_spec("namewarden") else "the package namewarden is not installed"


def _version() -> str:
    return f"Namewarden {version('namewarden')}, Python {sys.version.split()[0]}"


def _variant(name: str, make: Callable[[Place], list[str]], **facts: bool) -> Server:
    return Server(name, "NXDOMAIN", make, _version, missing, **facts)


NAMEWARDEN = _variant("namewarden", command, keeps_events=True)
WITHOUT_EVENTS = _variant("namewarden-no-events", partial(command, has_events=False))
PURE = _variant("namewarden-pure", pure_command, keeps_events=True)
WITHOUT_LIST = _variant("namewarden-no-list", partial(command, has_list=False), has_list=False)
VARIANTS = (NAMEWARDEN, WITHOUT_EVENTS, PURE)


def is_ours(server: Server) -> bool:
    return server.name.startswith("namewarden")


def hub_get(place: Place, path: str) -> httpx.Response:
    """A page of the hub's API over its Unix socket: file permissions are the password."""
    return _asked(place, "GET", path)


def _asked(place: Place, method: str, path: str, body: object = None) -> httpx.Response:
    transport = httpx.HTTPTransport(
        uds=str(place.folder / "var" / "hub.sock"),
        verify=False,  # no TLS there: loading certificates would be measured as ours
    )
    try:
        with httpx.Client(transport=transport, base_url="http://localhost", timeout=30) as client:
            answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise BenchError(f"the hub does not answer: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise BenchError(f"the hub answers {answer.status_code} to {path}: {answer.text[:200]}")
    return answer


def snapshot_size(folder: Path) -> int:
    """Octets of the compiled policy, less what only the compiler maps."""
    try:
        secret = (folder / "var" / "secret").read_bytes()
        path = folder / "var" / "snapshots" / "current"
        blob = Snapshot.open(path, secret).meta.blob
        return path.stat().st_size - sum(each.entries for each in blob.sections) * ENTRY.itemsize
    except (OSError, ListError) as error:
        raise BenchError(f"there is no compiled policy: {error}") from error


@dataclass(frozen=True)
class Log:
    """The event log's own account of queries: stored (the events' counts added up), dropped, and unscored."""

    stored: int
    dropped: int
    late: int  # of these stored, passed unscored: the model was late


def log(place: Place) -> Log:
    figures = hub_get(place, "/api/v1/statistics?since=0").json()
    late = figures["by_reason"].get(LATE, 0)
    return Log(figures["queries"], figures["dropped_queries"], late)


def late_of(place: Place, client: str) -> int:
    """Queries of this client that passed unscored."""
    path = f"/api/v1/queries?client={client}&reason={LATE}&limit=10000"
    return sum(event["count"] for event in hub_get(place, path).json()["queries"])


def deny(place: Place, name: str) -> None:
    """Returns when the hub has accepted it."""
    _asked(place, "PUT", f"/api/v1/decisions/{name}", {"verdict": "malicious"})
