"""The hub but for its publishing: event log, ingest, metrics and the API before them, built and served.

It takes most of the hub's time to load. Counterparts: `hub.py` (when), `publishing.py` (what has begun before).
"""

import asyncio
import socket
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Bounds
from namewarden.hub import housekeeping
from namewarden.hub.api import build
from namewarden.hub.auth import Auth
from namewarden.hub.ingest import Ingest
from namewarden.hub.metrics import Metrics
from namewarden.hub.reporters import Reporters
from namewarden.hub.server import Server
from namewarden.hub.services import Services
from namewarden.process.paths import Paths
from namewarden.process.publishing import Notify, Publishing
from namewarden.settings import Settings

if TYPE_CHECKING:
    from namewarden.stages.own import OwnRecords

VERSION = version("namewarden")


def build_services(
    settings: Settings, paths: Paths, publishing: Publishing, notify: Notify
) -> Services:
    event_log = DuckDbLog(
        paths.events,
        settings.events.retention,
        bounds=Bounds(settings.events.size, settings.events.reserve),
    )
    reporters = Reporters()
    metrics = Metrics(reporters, VERSION)
    return Services(
        event_log,
        publishing.control,
        Auth(publishing.control, settings.hub.session, settings.hub.attempts),
        reporters,
        metrics,
        Ingest(event_log, {"reporters": reporters, "metrics": metrics}, notify),
        publishing.publisher,
        paths.lists,
        VERSION,
        refusal=refusing(settings),
        subscriptions=publishing.subscriptions,
    )


def refusing(settings: Settings) -> Callable[[str, bool], str]:
    """Loaded when it is first asked: nothing else of the hub reads records."""

    @cache
    def records() -> "OwnRecords":
        from namewarden.stages.own import read

        return read(settings.local.records)

    def refuse(name: str, is_alone: bool) -> str:
        from namewarden.stages.local import refusal

        return refusal(name, is_alone, records())

    return refuse


def start(services: Services, notify: Notify) -> None:
    """An event log that cannot be opened is none: DNS does not need it."""
    services.ingest.start()
    if password := services.auth.first_administrator():
        notify(f"administrator: name admin, password {password} (shown once, kept as a hash)")


async def serve(
    services: Services,
    sockets: dict[str, list[socket.socket]],
    ended: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Until `ended`; `ready` is called when it answers."""
    async with asyncio.TaskGroup() as group:
        server = Server(build(services), sockets["tcp"], sockets["unix"][0])
        serving = group.create_task(server.run())
        others = [
            group.create_task(housekeeping.run(services)),
            group.create_task(_say_ready(server, ready)),
        ]
        await ended.wait()
        server.stop()
        await serving
        for other in others:
            other.cancel()


async def _say_ready(server: Server, ready: Callable[[], None]) -> None:
    for _ in range(1000):  # the server tells nobody when it has begun
        if server.started:
            break
        await asyncio.sleep(0.02)
    ready()
