"""The resolver process: a line, the doors to it, and the sender that carries its events away.

`explain` is the same line without doors, for one name. Counterparts: `line.py` (what is between the doors and
the upstreams), `hub_process.py` (where the events go).
"""

import asyncio
import os
import socket
import time
from contextlib import ExitStack
from functools import partial

import uvloop

from namewarden.config import Settings
from namewarden.events.recorder import Recorder
from namewarden.events.sender import Sender
from namewarden.lifetime import (
    Ended,
    answer_first,
    ending,
    log_plainly,
    take_sockets,
    until_told,
)
from namewarden.line import Line, Say
from namewarden.net import batch, eager
from namewarden.net.tcp import TcpCounts, TcpDoor, TcpSeams
from namewarden.net.udp import Counts, Seams, UdpDoor
from namewarden.net.verdicts import VerdictDoor
from namewarden.places import Places, StartError, prepare
from namewarden.policy.groups import Groups
from namewarden.query import Answer, Event, Query
from namewarden.stages.limit import TRUNCATION, Buckets
from namewarden.stages.record import repeated
from namewarden.supervise import Link, first_of
from namewarden.wire.names import from_wire, to_wire

STRANGERS = ""  # the lane of clients that may not ask; no group can have this name
RUN_FIRST = "start `namewarden run` once, or name its configuration with --config"
EXPLAIN_DEADLINE = 10.0  # seconds for the score: nobody waits for an answer


def serve_resolver(settings: Settings, link: Link | None, worker: int, say: Say) -> None:
    """One resolver until told to end. StartError, BindError."""
    log_plainly()
    places = prepare(settings.data_dir)
    with ExitStack() as stack:
        resolver = Resolver(
            settings, places, take_sockets(settings, places, link, stack, "resolver"), worker, say
        )
        answer_first()
        uvloop.run(resolver.run(link))


class Resolver:
    """The resolver process: a line, the doors to it, and the sender that carries its events away."""

    def __init__(
        self,
        settings: Settings,
        places: Places,
        sockets: dict[str, list[socket.socket]],
        worker: int,
        say: Say,
    ) -> None:
        self._settings = settings
        self._places = places
        self._sockets = sockets
        self._say = say
        self._recorder = Recorder("resolver", settings.events.queue, worker)
        self._udp: list[UdpDoor] = []
        self._counts = Counts()
        self._tcp_counts = TcpCounts()

    async def run(self, link: Link | None) -> None:
        ended = until_told(link)
        with ending():
            async with asyncio.TaskGroup() as group:
                sink = self._recorder if self._settings.events.enabled else Nowhere()
                spawn = partial(eager.start, spawn=group.create_task)
                line = Line(self._settings, self._places, spawn, sink, self._say, self._forget)
                line.start()
                await self._wait_for_turn(line, group, ended, link)
                if not ended.is_set():
                    await self._serve(line, group, ended, link)
                line.stop()
                raise Ended

    async def _wait_for_turn(
        self, line: Line, group: asyncio.TaskGroup, ended: asyncio.Event, link: Link | None
    ) -> None:
        """Until a policy is mapped and, for one that stands by, until the one before it is gone."""
        await first_of(line.keeper.first(), ended.wait())
        group.create_task(line.keeper.follow())
        if link and not ended.is_set():
            await first_of(link.begun(), ended.wait())

    async def _serve(
        self, line: Line, group: asyncio.TaskGroup, ended: asyncio.Event, link: Link | None
    ) -> None:
        """Doors open once a policy is mapped, and close before anything behind them does."""
        tcp = self._open_tcp(line, group)
        verdicts = VerdictDoor(
            line.judge, lambda: tuple(line.keeper.current().token_hashes), self._recorder.run
        )
        await verdicts.start(self._sockets["verdict"] + self._sockets["verdict_unix"])
        self._open_udp(line, group)
        sender = self._sender(line)
        sending = group.create_task(sender.run())
        if link:
            link.is_ready()
        await ended.wait()
        for udp_door in self._udp:
            udp_door.stop()
        for tcp_door in tcp:
            tcp_door.stop()
        await verdicts.stop()
        sender.stop()
        await sending

    def _open_udp(self, line: Line, group: asyncio.TaskGroup) -> None:
        seams = Seams(
            handler=line.resolve,
            spawn=group.create_task,
            group_of=lambda ip: lane_of(line.keeper.current().groups, line.buckets, ip),
            is_limited=line.buckets.is_limited,
            admit=line.buckets.admit,
            limited=TRUNCATION,
            repeat=self._repeat,
            batch=lambda bound: batch.choose(os.environ, bound),
            payload=self._settings.dns.udp_payload,
            in_flight=self._settings.dns.in_flight,
            counts=self._counts,
        )
        self._udp = [UdpDoor(bound, seams) for bound in self._sockets["udp"]]
        for door in self._udp:
            door.start()

    def _open_tcp(self, line: Line, group: asyncio.TaskGroup) -> list[TcpDoor]:
        dns = self._settings.dns
        seams = TcpSeams(
            line.resolve,
            group.create_task,
            line.buckets.is_allowed,
            dns.tcp_idle,
            dns.tcp_per_client,
            dns.tcp_connections,
            self._tcp_counts,
        )
        doors = [TcpDoor(bound, seams) for bound in self._sockets["tcp"]]
        for door in doors:
            door.start()
        return doors

    def _sender(self, line: Line) -> Sender:
        def counters() -> dict[str, int]:
            tcp = {f"tcp_{name}": value for name, value in vars(self._tcp_counts).items()}
            udp = {f"udp_{name}": value for name, value in vars(self._counts).items()}
            return {**line.counters(), **udp, **tcp}

        return Sender(
            self._recorder, self._places.hub_socket, busy=self._is_busy, counters=counters
        )

    def _is_busy(self) -> bool:
        return any(door.is_busy() for door in self._udp)

    def _forget(self) -> None:
        for door in self._udp:
            door.forget()

    def _repeat(self, query: Query, answer: Answer, client: str, began: float, count: int) -> None:
        if self._settings.events.enabled:
            self._recorder.record(repeated(query, answer, client, began, count, "resolver"))


def lane_of(groups: Groups, buckets: Buckets, client: str) -> str:
    """The fast lane that a client shares: its group's. What friends asked lately is not for strangers."""
    return groups.of(client).name if buckets.is_allowed(client) else STRANGERS


class Nowhere:
    """Takes events and keeps none: events.enabled = false."""

    def record(self, event: Event) -> None:
        pass


def explain(settings: Settings, name: str, qtype: int, client: str, say: Say) -> Event:
    """What the real chain does with one query, recorded into our hands. StartError, WireError."""
    log_plainly()
    if not Places(settings.data_dir).snapshots.is_dir():  # looking at nothing makes nothing
        raise StartError(f"no policy in {settings.data_dir.absolute()}: {RUN_FIRST}")
    return asyncio.run(_explain(settings, name, qtype, client, say))


async def _explain(settings: Settings, name: str, qtype: int, client: str, say: Say) -> Event:
    places = prepare(settings.data_dir)
    taken: list[Event] = []

    class Hands:
        def record(self, event: Event) -> None:
            taken.append(event)

    question = to_wire(name) + qtype.to_bytes(2) + b"\0\1"
    plain, _ = from_wire(question, 0)
    with ending():
        async with asyncio.TaskGroup() as group:
            line = Line(
                settings, places, group.create_task, Hands(), say, deadline=EXPLAIN_DEADLINE
            )
            if not line.keeper.look():
                raise StartError(line.keeper.problem or f"no policy yet: {RUN_FIRST}")
            line.start()
            await line.resolve(
                Query(0, plain, qtype, client, "udp", time.monotonic(), question, payload=1232)
            )
            line.stop()
            raise Ended
    return taken[0]
