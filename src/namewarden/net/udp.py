"""The UDP listener: datagrams in, the packet cache, else the chain, datagrams out.

A query's way: `_readable` → packet cache, or `read_query` → chain → `_answered` → packet cache filled → socket.
What comes faster than the chain serves it waits in a fair queue, not in the socket's buffer. Bounded: datagrams a
wake-up, what waits, queries in flight. What is dropped is counted, and no datagram takes another along.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial

import structlog

from namewarden.net import datagrams, eager
from namewarden.net.datagrams import Address, Datagram, DatagramIO, Host
from namewarden.net.fair_queue import FairQueue
from namewarden.net.listener import settled
from namewarden.net.packet_cache import PacketCache, PendingQuery
from namewarden.net.packet_entry import CacheClient
from namewarden.query import Answer, Handler
from namewarden.wire.answers import limit_of, to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.message import read_query

BATCH = (
    datagrams.MOST
)  # datagrams a wake-up: the loop's other work is never more than some 300 µs away
BATCHES = 8  # of these a wake-up, while the packet cache has no answer: reading takes a hundredth of serving
TURN = 8  # queries served before upstreams are listened to
MOST_WAITING = 2048  # datagrams; half a second's work of a busy resolver
LONGEST_WAIT = 1.0  # seconds; who asked before that has asked again or gone
CROWD = 8  # datagrams found waiting at once: the listener is behind
JUST_NOW = 0.05  # seconds
LONGEST = 4096  # octets of a query; a longer datagram is cut and so refused by the parser

log = structlog.get_logger("udp")


@dataclass
class UdpCounts:
    """What the listener has seen since it was opened."""

    queries: int = 0
    malformed: int = 0
    unsent: int = 0  # answers the socket did not take
    overload: int = 0  # queries dropped because too many wait or are in flight
    limited: int = 0  # repeats and malformed queries above their prefix's rate
    faults: int = 0  # datagrams lost to a bug here


@dataclass(frozen=True)
class UdpServing:
    """What the listener is given."""

    handler: Handler
    waiting: eager.Waiting
    cache: PacketCache
    admit: Callable[[str, float], int]  # 0: the client may get an answer now
    share: Callable[[Host], Hashable]  # what counts as one client where not all can be served
    batch: Callable[[socket.socket], DatagramIO]
    payload: int = 1232
    in_flight: int = 10_000
    counts: UdpCounts = field(default_factory=UdpCounts)
    clock: Callable[[], float] = time.monotonic


class UdpListener:
    """One bound UDP socket. `start` and `stop` it in a running loop."""

    def __init__(self, bound: socket.socket, serving: UdpServing) -> None:
        bound.setblocking(False)
        self._socket = bound
        self._serving = serving
        self._cache = serving.cache
        self.forget = serving.cache.forget  # one for all listeners that share the cache
        self._counts = serving.counts
        self._batch = serving.batch(bound)
        self._in_flight = 0
        self._waiting: FairQueue[tuple[Datagram, float]] = FairQueue(MOST_WAITING)
        self._taken = 0  # datagrams of the last wake-up
        self._woken = 0.0  # when that was
        self._out: list[Datagram] = []  # answers to send
        self._is_due = False  # they are sent at the end of the wake-up, or of the loop's turn

    async def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        await settled(lambda: not self._in_flight and not self._waiting)
        self._flush()

    def is_busy(self) -> bool:
        """Did the last wake-up, just now, find a crowd? Then work that can wait does."""
        if self._waiting:
            return True
        return self._taken >= CROWD and self._serving.clock() - self._woken < JUST_NOW

    def _readable(self) -> None:
        """Answer from the packet cache what it has, serve a few others, keep the rest."""
        now = self._serving.clock()
        self._taken, self._woken, self._is_due = 0, now, True
        was_behind = bool(self._waiting)
        room = 0 if was_behind else TURN
        try:
            self._read(room, now)
        finally:
            if self._waiting and not was_behind:
                asyncio.get_running_loop().call_soon(self._catch_up)
            self._finish()

    def _read(self, room: int, now: float) -> None:
        for _ in range(BATCHES):
            arrived = self._batch.recv_many(self._socket, BATCH, LONGEST)
            self._taken += len(arrived)
            rest = self._not_kept(arrived, now)
            for datagram in rest[:room]:
                self._take(datagram, now)
            for datagram in rest[room:]:
                self._keep(datagram, now)
            room = max(room - len(rest), 0)
            if len(arrived) < BATCH or not rest:
                break

    def _not_kept(self, arrived: list[Datagram], now: float) -> list[Datagram]:
        """Those that the packet cache has no answer for."""
        try:
            return self._cache.answer(arrived, self._out, now)
        except Exception:
            self._lose(len(arrived))
            return []

    def _keep(self, datagram: Datagram, now: float) -> None:
        try:
            client = self._serving.share(datagram[1][0])
            if not self._waiting.put(client, (datagram, now)):
                self._counts.overload += 1
        except Exception:
            self._lose()

    def _catch_up(self) -> None:
        """Serve a few of those that wait, and go on when the loop has turned."""
        oldest = self._serving.clock() - LONGEST_WAIT
        self._is_due = True
        for _ in range(min(TURN, len(self._waiting))):
            datagram, arrived = self._waiting.take()
            if arrived < oldest:
                self._counts.overload += 1
            else:
                self._take(datagram, arrived)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._catch_up)
        self._finish()

    def _finish(self) -> None:
        """The end of a wake-up."""
        self._report()
        self._flush()

    def _report(self) -> None:
        try:
            self._cache.report()
        except Exception:
            self._lose()

    def _take(self, datagram: Datagram, now: float) -> None:
        data, address = datagram
        try:
            wire = self._cache.lookup(data, address[0], now)
            if wire is None:
                self._ask(data, address, self._cache.client(address[0]), now)
            elif wire:
                self._out.append((wire, address))
        except Exception:
            self._lose()

    def _ask(self, data: bytes, address: Address, client: CacheClient, now: float) -> None:
        self._counts.queries += 1
        try:
            query = read_query(data, client.ip, "udp", now)
        except WireError as error:
            self._refuse(error, address, client, now)
            return
        if self._in_flight >= self._serving.in_flight:
            self._counts.overload += 1
            return
        self._in_flight += 1
        asked = PendingQuery(query, data, address, client, self._cache.generation)
        eager.run(
            self._serving.handler(query), partial(self._answered, asked), self._serving.waiting
        )

    def _refuse(self, error: WireError, address: Address, client: CacheClient, now: float) -> None:
        """Limited like every answer: who forges its address shall not make us talk to others."""
        self._counts.malformed += 1
        if error.reply is None:
            return
        if self._serving.admit(client.ip, now):
            self._counts.limited += 1
        else:
            self._send(error.reply, address)

    def _answered(self, asked: PendingQuery, answer: Answer) -> None:
        """May run in a task of the process's group: an error here must not end that."""
        self._in_flight -= 1
        try:
            if not answer.silent:
                self._give(asked, answer)
        except Exception:
            self._lose()

    def _give(self, asked: PendingQuery, answer: Answer) -> None:
        query = asked.query
        now = self._serving.clock() if answer.stored else query.now
        wire = to_wire(query, answer, now, limit_of(query, self._serving.payload))
        self._send(wire, asked.address)
        self._cache.store(asked, answer, wire, now)

    def _lose(self, lost: int = 1) -> None:
        """A bug: so many datagrams, or their places in the packet cache, are lost, nothing else."""
        self._counts.faults += lost
        log.exception("fault")

    def _send(self, wire: bytes, address: Address) -> None:
        """With the others of this wake-up or this turn of the loop."""
        self._out.append((wire, address))
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """What the socket does not take is lost and counted."""
        out, self._out = self._out, []
        self._is_due = False
        if out:
            self._counts.unsent += len(out) - self._batch.send_many(self._socket, out)
