"""The hub process: store, control data, publisher and API, built, started, stopped in reverse."""

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import uvloop

from namewarden.config import GUARD_LIST, Settings
from namewarden.detector import guard
from namewarden.events.days import StoreError
from namewarden.events.store import Store
from namewarden.hub import housekeeping
from namewarden.hub.api import build
from namewarden.hub.auth import Auth
from namewarden.hub.control import Control, ControlError
from namewarden.hub.desk import Desk
from namewarden.hub.doors import Doors
from namewarden.hub.ingest import Ingest
from namewarden.hub.metrics import Metrics
from namewarden.hub.publish import Publisher
from namewarden.hub.server import Server
from namewarden.lifetime import Ended, ending, log_plainly, take_sockets, until_told
from namewarden.places import Places, StartError, prepare
from namewarden.policy.spec import GroupSpec, ListSpec
from namewarden.supervise import Link

Say = Callable[[str], None]
VERSION = version("namewarden")


def serve_hub(settings: Settings, link: Link | None, say: Say) -> None:
    """The hub until told to end. StartError, BindError."""
    log_plainly()
    places = prepare(settings.data_dir)
    with ExitStack() as stack:
        sockets = take_sockets(settings, places, link, stack, "hub")
        uvloop.run(_hub(settings, places, sockets, link, say))


async def _hub(
    settings: Settings,
    places: Places,
    sockets: dict[str, list[socket.socket]],
    link: Link | None,
    say: Say,
) -> None:
    ended = until_told(link)
    hub = Hub(settings, places, say)
    await hub.start()
    with ending():
        async with asyncio.TaskGroup() as group:
            server = Server(build(hub.desk), sockets["tcp"], sockets["unix"][0])
            serving = group.create_task(server.run())
            group.create_task(hub.publisher.run())
            group.create_task(housekeeping.run(hub.desk))
            if link:
                group.create_task(_say_ready(server, link))
            await ended.wait()
            server.stop()
            await serving
            raise Ended
    hub.stop()


async def _say_ready(server: Server, link: Link) -> None:
    for _ in range(1000):  # the server tells nobody when it has begun
        if server.started:
            break
        await asyncio.sleep(0.02)
    link.is_ready()


class Hub:
    """The hub's parts, wired."""

    def __init__(self, settings: Settings, places: Places, say: Say) -> None:
        self._guard = places.lists / "guard.txt"
        self.control = Control(places.control)
        self.store = Store(places.events, settings.events.retention)
        self.publisher = Publisher(
            self.control,
            places.snapshots,
            places.secret,
            [*list_specs(settings), ListSpec(GUARD_LIST, str(self._guard), "guard", "domains")],
            group_specs(settings),
            say=say,
        )
        self._say = say
        auth = Auth(self.control, settings.hub.session, settings.hub.attempts)
        doors = Doors()
        metrics = Metrics(doors, VERSION)
        self.desk = Desk(
            self.store,
            self.control,
            auth,
            doors,
            metrics,
            Ingest(self.store, doors, metrics),
            self.publisher,
            places.lists,
            VERSION,
        )

    async def start(self) -> None:
        """StartError."""
        try:
            self.control.start()
            self.store.start()
        except (ControlError, StoreError) as problem:
            raise StartError(str(problem)) from problem
        await write_guard_list(self._guard)
        self.publisher.start()
        if password := self.desk.auth.first_administrator():
            self._say(
                f"administrator: name admin, password {password} (shown once, kept as a hash)"
            )

    def stop(self) -> None:
        self.desk.ingest.stop()
        self.store.stop()
        self.control.stop()


async def write_guard_list(path: Path) -> None:
    """Once for each version of the lists, by a child: the lists are large and this process stays small."""
    if guard.is_fresh(path):
        return
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "namewarden.detector.guard", str(path)
    )
    await child.wait()


def list_specs(settings: Settings) -> list[ListSpec]:
    return [
        ListSpec(each.name, str(Path(each.source).absolute()), each.kind, each.format)
        for each in settings.lists
    ]


def group_specs(settings: Settings) -> tuple[GroupSpec, ...]:
    """The groups of the settings, `default` among them, with what they do not say filled in."""
    base = GroupSpec(
        "default",
        mode=settings.model.mode,
        block=settings.block.mode,
        ttl=settings.block.ttl,
        addresses=settings.block.addresses,
        redirect=settings.block.redirect,
    )
    made = [_filled(base, group.model_dump(exclude_none=True)) for group in settings.groups]
    return tuple(made) if any(group.name == "default" for group in made) else (base, *made)


def _filled(base: GroupSpec, said: dict[str, object]) -> GroupSpec:
    values = {name: getattr(base, name) for name in base.__struct_fields__}
    return GroupSpec(**{**values, **said})
