"""The hub process: event log, control data, publisher and API, built, started, stopped in reverse."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import uvloop

from namewarden.config import GUARD_LIST, Settings
from namewarden.detector import guard
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Bounds
from namewarden.hub import housekeeping
from namewarden.hub.api import build
from namewarden.hub.auth import Auth
from namewarden.hub.control import Control, ControlError
from namewarden.hub.ingest import Ingest
from namewarden.hub.jobs import Job, Jobs
from namewarden.hub.metrics import Metrics
from namewarden.hub.publish import Publisher
from namewarden.hub.reporters import Reporters
from namewarden.hub.server import Server
from namewarden.hub.services import Services
from namewarden.policy.spec import GroupSpec, ListSpec
from namewarden.process.channel import Channel
from namewarden.process.lifetime import (
    Ended,
    ending,
    give_back_memory,
    log_plainly,
    take_sockets,
    until_told,
)
from namewarden.process.paths import Paths, StartError, prepare

Notify = Callable[[str], None]
VERSION = version("namewarden")
GUARD_AGAIN = 60.0  # seconds until a guard list that could not be written is tried again


def serve_hub(settings: Settings, channel: Channel | None, notify: Notify) -> None:
    """The hub until told to end. StartError, BindError."""
    log_plainly()
    paths = prepare(settings.data_dir)
    with ExitStack() as stack:
        sockets = take_sockets(settings, paths, channel, stack, "hub")
        uvloop.run(_hub(settings, paths, sockets, channel, notify))


async def _hub(
    settings: Settings,
    paths: Paths,
    sockets: dict[str, list[socket.socket]],
    channel: Channel | None,
    notify: Notify,
) -> None:
    ended = until_told(channel)
    hub = Hub(settings, paths, notify)
    await hub.start()
    with ending():
        async with asyncio.TaskGroup() as group:
            server = Server(build(hub.services), sockets["tcp"], sockets["unix"][0])
            serving = group.create_task(server.run())
            group.create_task(hub.publish())
            group.create_task(give_back_memory())
            group.create_task(housekeeping.run(hub.services))
            if channel:
                group.create_task(_say_ready(server, channel))
            await ended.wait()
            server.stop()
            await serving
            raise Ended
    hub.stop()


async def _say_ready(server: Server, channel: Channel) -> None:
    for _ in range(1000):  # the server tells nobody when it has begun
        if server.started:
            break
        await asyncio.sleep(0.02)
    channel.is_ready()


class Hub:
    """The hub's parts, wired."""

    def __init__(self, settings: Settings, paths: Paths, notify: Notify) -> None:
        self._guard = paths.lists / "guard.txt"
        self.control = Control(paths.control)
        self.event_log = DuckDbLog(
            paths.events,
            settings.events.retention,
            bounds=Bounds(settings.events.size, settings.events.reserve),
        )
        self.jobs = Jobs(paths.jobs)
        self.publisher = Publisher(
            self.control,
            paths.snapshots,
            paths.secret,
            self.jobs,
            [*list_specs(settings), ListSpec(GUARD_LIST, str(self._guard), "guard", "domains")],
            group_specs(settings),
            notify=notify,
        )
        self._notify = notify
        auth = Auth(self.control, settings.hub.session, settings.hub.attempts)
        reporters = Reporters()
        metrics = Metrics(reporters, VERSION)
        self.services = Services(
            self.event_log,
            self.control,
            auth,
            reporters,
            metrics,
            Ingest(self.event_log, {"reporters": reporters, "metrics": metrics}, notify),
            self.publisher,
            paths.lists,
            VERSION,
        )

    async def start(self) -> None:
        """StartError. An event log that cannot be opened is none: DNS does not need it."""
        try:
            self.control.start()
        except ControlError as problem:
            raise StartError(str(problem)) from problem
        self.services.ingest.start()
        self.jobs.start()
        self.publisher.start()
        if password := self.services.auth.first_administrator():
            self._notify(
                f"administrator: name admin, password {password} (shown once, kept as a hash)"
            )

    async def publish(self) -> None:
        """What was in force stays so until a new guard list is written; one that cannot be is tried again."""
        written = guard.is_fresh(self._guard) or await self._write_guard()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.publisher.run())
            while not written:
                await asyncio.sleep(GUARD_AGAIN)
                written = await self._write_guard()

    async def _write_guard(self) -> bool:
        problem = await write_guard_list(self.jobs, self._guard)
        if problem != self.publisher.guard_problem:
            self._notify(problem or "the guard list is written")
        self.publisher.guard_problem = problem
        return not problem

    def stop(self) -> None:
        self.services.ingest.stop()
        self.control.stop()


async def write_guard_list(jobs: Jobs, path: Path) -> str:
    """By a job: the lists are large and this process stays small. "", or why it was not and what that means."""
    try:
        ended = await jobs.run(Job("guard list", ("-m", "namewarden.detector.guard", str(path))))
        problem = ended.problem
    except OSError as error:
        problem = str(error)
    return problem and f"the guard list could not be written: {problem}; {_without(path)}"


def _without(path: Path) -> str:
    return "the one before holds" if path.exists() else "until it is, the model blocks nothing"


def list_specs(settings: Settings) -> list[ListSpec]:
    return [
        ListSpec(each.name, str(Path(each.source).absolute()), each.kind, each.format, each.broad)
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
