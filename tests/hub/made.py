"""A hub's parts in a folder of their own, and the hub in this process or on a real Unix socket."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import EventLog
from namewarden.hub.api import build
from namewarden.hub.auth import Auth
from namewarden.hub.control import Control
from namewarden.hub.gate import Gate
from namewarden.hub.ingest import Ingest, Sink
from namewarden.hub.jobs import Jobs
from namewarden.hub.metrics import Metrics
from namewarden.hub.publish import Publisher
from namewarden.hub.reporters import Reporters
from namewarden.hub.server import Local
from namewarden.hub.services import Services
from namewarden.hub.specs import added_subscriptions
from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.follow import Fetch, Subscriptions
from namewarden.hub.subscriptions.store import Asked, Fetched, Subscription
from namewarden.policy.spec import GroupSpec, ListSpec
from tests.events.samples import NOON

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def nothing(asked: Asked, part: Path, told: Any) -> Fetched | None:
    raise DownloadError("there is no network here")


@asynccontextmanager
async def services(
    folder: Path,
    clock: Clock | None = None,
    lists: Sequence[ListSpec] = (),
    attempts: int = 5,
    sinks: Mapping[str, Sink] | None = None,
    event_log: EventLog | None = None,
    wanted: Sequence[Subscription] = (),
    fetch: Fetch = nothing,
) -> AsyncIterator[Services]:
    clock = clock or Clock()
    (folder / "lists").mkdir(exist_ok=True)
    secret = folder / "secret"
    if not secret.exists():
        secret.write_bytes(os.urandom(32))
    event_log = event_log or DuckDbLog(folder / "events", 91, clock)
    control = Control(folder / "control.sqlite", clock)
    reporters = Reporters(clock)
    metrics = Metrics(reporters, "9.9")
    event_log.start()
    control.start()
    ingest = Ingest(event_log, {"reporters": reporters, "metrics": metrics, **(sinks or {})})
    jobs = Jobs(folder / "jobs", clock)
    jobs.start()
    publisher = Publisher(
        control,
        folder / "snapshots",
        secret,
        jobs,
        lists,
        (GroupSpec("default"),),
        clock=clock,
    )
    publisher.start()
    subscriptions = Subscriptions(
        folder / "subscriptions",
        lambda: [*wanted, *added_subscriptions(control, ())],
        fetch,
        86_400,
        publisher.look,
        clock=clock,
    )
    subscriptions.start()
    try:
        yield Services(
            event_log, control, Auth(control, 3600, attempts, clock, CHEAP), reporters, metrics, ingest,
            publisher, folder / "lists", "9.9", ("hub.example.org",), clock,
            subscriptions=subscriptions,
        )  # fmt: skip
    finally:
        ingest.stop()
        control.stop()


def user(services: Services, name: str, role: Any, password: str = PASSWORD) -> None:
    services.auth.write_user(name, role, CHEAP.hash(password), None)


def http(app: Any, **more: Any) -> httpx.AsyncClient:
    """A browser or program from the network."""
    transport = httpx.ASGITransport(app, client=("192.0.2.50", 4000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8050", **more)


def at_socket(app: Gate) -> httpx.AsyncClient:
    """Who may open the socket file."""
    return http(Local(app))


def with_token(app: Any, services: Services, role: Any) -> httpx.AsyncClient:
    token, _ = services.auth.new_token(role, role, 0.0)
    return http(app, headers={"Authorization": f"Bearer {token}"})


@asynccontextmanager
async def logged_in(
    app: Any, name: str, password: str = PASSWORD
) -> AsyncIterator[httpx.AsyncClient]:
    async with http(app) as client:
        answer = await client.post("/api/v1/login", json={"name": name, "password": password})
        assert answer.status_code == 200, answer.text
        yield client


async def until(condition: Any, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("waited in vain")


__all__ = [
    "Clock",
    "at_socket",
    "build",
    "services",
    "http",
    "logged_in",
    "until",
    "user",
    "with_token",
]
