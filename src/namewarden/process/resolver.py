"""The resolver process: a pipeline, the listeners before it, and the sender that carries its events away.

Counterparts: `pipeline.py` (from listeners to upstreams), `process/hub.py` (where the events go).
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import lru_cache, partial

import uvloop

from namewarden.events.recorder import Recorder
from namewarden.events.rows import Rows
from namewarden.events.sender import Sender, Vitals
from namewarden.net import datagrams, eager
from namewarden.net.connection import Serving, TcpCounts
from namewarden.net.datagrams import host_text
from namewarden.net.listener import Listener, Reaches
from namewarden.net.original import OriginalListener
from namewarden.net.packet_cache import PacketCache
from namewarden.net.tcp import TcpLimits, TcpListener
from namewarden.net.udp import UdpCounts, UdpListener, UdpServing
from namewarden.net.verdicts import VerdictListener, VerdictServing
from namewarden.policy.names import listed
from namewarden.process.channel import Channel, first_of
from namewarden.process.lifetime import (
    Ended,
    answer_first,
    ending,
    log_plainly,
    take_sockets,
    until_told,
)
from namewarden.process.paths import Paths, prepare
from namewarden.process.pipeline import Notify, Pipeline
from namewarden.query import Answer, Event, Query
from namewarden.settings import Settings
from namewarden.stages.limit import REMEMBERED, prefix_of
from namewarden.stages.record import RowSink
from namewarden.wire.stream import ServerLimits

STOP = 4.5  # seconds for a whole stop, then what did not reach the hub is told: a supervisor kills after 5
STANDING_BY = (
    1.0  # seconds that a spare takes another policy later: who answers has the core to himself
)
DRAIN = 3.0  # of these, at most, until nothing is in flight
PATIENCE = 2.0  # of these for upstreams; a listener's GRACE is a little longer
LAST_BATCH = 2.0  # of what is left, at most, for the hub to acknowledge the last events


def serve_resolver(
    settings: Settings, channel: Channel | None, worker: int, notify: Notify
) -> None:
    """One resolver until told to end. StartError, BindError."""
    log_plainly()
    paths = prepare(settings.data_dir)
    with ExitStack() as stack:
        resolver = Resolver(
            settings,
            paths,
            take_sockets(settings, paths, channel, stack, "resolver"),
            worker,
            notify,
        )
        answer_first()
        uvloop.run(resolver.run(channel))


class Resolver:
    """The resolver process, built and run."""

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        sockets: dict[str, list[socket.socket]],
        worker: int,
        notify: Notify,
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._sockets = sockets
        self._notify = notify
        self._worker = worker
        self._found: list[str] = []  # of the configuration: all workers and spares find the same
        self._recorder = Recorder("resolver", settings.events.queue, worker)
        self._sink: RowSink = self._recorder if settings.events.enabled else Nowhere()
        self._listeners: list[Listener] = []
        self._waiting: eager.Waiting = set()
        self._counts = UdpCounts()
        self._tcp_counts = TcpCounts()
        self._pipeline: Pipeline

    async def run(self, channel: Channel | None) -> None:
        ended = until_told(channel)
        with ending():
            async with asyncio.TaskGroup() as group:
                spawn = partial(eager.start, waiting=self._waiting)
                self._pipeline = Pipeline(
                    self._settings, self._paths, spawn, self._sink, self._found.append, self._forget
                )
                self._pipeline.start()
                await self._wait_for_turn(group, ended, channel)
                if not ended.is_set():
                    await self._serve(group, ended, channel)
                else:
                    self._pipeline.stop()
                raise Ended

    async def _wait_for_turn(
        self, group: asyncio.TaskGroup, ended: asyncio.Event, channel: Channel | None
    ) -> None:
        """Until a policy is mapped and, for one that stands by, until the one before it is gone."""
        watcher = self._pipeline.watcher
        await first_of(watcher.first(), ended.wait())
        watcher.pause = STANDING_BY if channel else 0.0
        group.create_task(watcher.follow())
        if channel and not ended.is_set():
            channel.is_loaded()
            await first_of(channel.begun(), ended.wait())
            watcher.pause = 0.0
            watcher.look()

    async def _serve(
        self, group: asyncio.TaskGroup, ended: asyncio.Event, channel: Channel | None
    ) -> None:
        """Listeners open once a policy is mapped, and close before anything behind them does; events leave last."""
        payload = self._settings.dns.udp_payload
        cache = self._pipeline.packet_cache(self._sink, self._counts, payload)
        original = OriginalListener(
            self._sockets["verdict_original"], self._pipeline.judge_recorded
        )
        self._listeners = [*self._tcp(), self._verdicts(), original, *self._udp(cache)]
        for listener in self._listeners:
            await listener.start()
        folding = group.create_task(self._fold(cache))
        sender = self._sender()
        sending = group.create_task(sender.run())
        if self._worker == 0:
            for text in self._found:
                self._notify(text)
        if channel:
            channel.is_ready()
        await ended.wait()
        until = time.monotonic() + STOP
        await drain(self._listeners, self._pipeline.stop, self._waiting, DRAIN)
        folding.cancel()
        self._record_folded(cache)
        left = min(LAST_BATCH, until - time.monotonic())
        sender.stop(left)
        await asyncio.wait([sending], timeout=left + 0.2)  # a hub that hangs does not keep us
        if lost := sender.rejected_events + self._recorder.held:
            self._notify(f"{lost} events did not reach the hub")

    async def _fold(self, cache: PacketCache) -> None:
        """What events fold is recorded once a second."""
        while True:
            await asyncio.sleep(1.0)
            self._record_folded(cache)

    def _record_folded(self, cache: PacketCache) -> None:
        cache.flush()
        self._pipeline.turned_away.flush()

    def _udp(self, cache: PacketCache) -> list[UdpListener]:
        serving = UdpServing(
            handler=self._pipeline.resolve,
            waiting=self._waiting,
            cache=cache,
            admit=self._pipeline.buckets.admit,
            share=lru_cache(REMEMBERED)(lambda host: prefix_of(host_text(host))),
            batch=lambda bound: datagrams.choose(os.environ, bound),
            payload=self._settings.dns.udp_payload,
            in_flight=self._settings.dns.in_flight,
            counts=self._counts,
        )
        return [UdpListener(bound, serving) for bound in self._sockets["udp"]]

    def _tcp(self) -> list[TcpListener]:
        dns, pipeline = self._settings.dns, self._pipeline

        def ask(query: Query, answered: Callable[[Answer], None]) -> None:
            eager.run(pipeline.resolve(query), answered, self._waiting)

        limits, admit = ServerLimits(idle=dns.tcp_idle), pipeline.buckets.admit
        serving = Serving(ask, limits, self._tcp_counts, admit=admit)
        most = TcpLimits(pipeline.buckets.is_allowed, dns.tcp_per_client, dns.tcp_connections)
        return [TcpListener(bound, serving, most) for bound in self._sockets["tcp"]]

    def _verdicts(self) -> VerdictListener:
        pipeline = self._pipeline
        return VerdictListener(
            self._sockets["verdict"] + self._sockets["verdict_unix"],
            VerdictServing(
                judge=pipeline.judge,
                judge_answer=pipeline.judge_answer,
                generation=pipeline.generation,
                token_hashes=lambda: pipeline.watcher.current().tokens(time.time()),
                run=self._recorder.run,
                spell=lambda name: name if name.isascii() else listed(name) or name,
                scope_of=pipeline.scope_of,
            ),
        )

    def _sender(self) -> Sender:
        def vitals() -> Vitals:
            tcp = {f"tcp_{name}": value for name, value in vars(self._tcp_counts).items()}
            udp = {f"udp_{name}": value for name, value in vars(self._counts).items()}
            counters = {**self._pipeline.counters(), **udp, **tcp}
            return Vitals(counters, upstreams=self._pipeline.upstream_states())

        return Sender(self._recorder, self._paths.hub_socket, busy=self._is_busy, vitals=vitals)

    def _is_busy(self) -> bool:
        return any(listener.is_busy() for listener in self._listeners)

    def _forget(self, reaches: Reaches | None = None) -> None:
        for forget in {listener.forget for listener in self._listeners}:  # what is shared, once
            forget(reaches)


async def drain(
    listeners: Sequence[Listener],
    stop_pipeline: Callable[[], None],
    waiting: eager.Waiting,
    seconds: float,
) -> None:
    """Take no more, and let what is in flight be answered. Who waits longer for an upstream gets SERVFAIL."""
    until = time.monotonic() + seconds
    stopping = asyncio.gather(*(listener.stop() for listener in listeners))
    await asyncio.wait([stopping], timeout=min(PATIENCE, seconds))
    stop_pipeline()
    with suppress(TimeoutError):
        async with asyncio.timeout(until - time.monotonic()):
            await stopping
            await eager.end(waiting, grace=0)


class Nowhere:
    """Takes events and keeps none: events.enabled = false."""

    def record(self, event: Event) -> None:
        pass

    def record_rows(self, rows: Rows) -> None:
        pass
