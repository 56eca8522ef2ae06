"""The UDP listener: datagrams in, the packet cache, else the chain, datagrams out.

A query's way: `_readable` → cache, or `read_query` → chain → `_answered` → cache filled → socket.
Bounded: datagrams a wake-up, queries in flight, clients remembered. What is dropped is counted.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from namewarden.net import datagrams, eager
from namewarden.net.datagrams import Address, Datagram, DatagramIO, Host
from namewarden.net.listener import Reaches
from namewarden.net.packet_cache import (
    CacheClient,
    PacketCache,
    PacketEntry,
    Repeat,
    RepeatCounter,
    end_of,
    is_repeatable,
)
from namewarden.query import Answer, Handler, Query
from namewarden.wire.answers import limit_of, to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.message import read_query

BATCH = (
    datagrams.MOST
)  # datagrams a wake-up: the loop's other work is never more than some 300 µs away
CROWD = 8  # datagrams found waiting at once: the listener is behind
JUST_NOW = 0.05  # seconds
LONGEST = 4096  # octets of a query; a longer datagram is cut and so refused by the parser
CLIENTS = 20_000  # addresses remembered before all are looked up anew


@dataclass
class UdpCounts:
    """What the listener has seen since it was opened."""

    queries: int = 0
    malformed: int = 0
    unsent: int = 0  # answers the socket did not take
    overload: int = 0  # queries dropped because too many are in flight
    limited: int = 0  # cache queries above their prefix's rate


@dataclass(frozen=True)
class UdpParts:
    """What the listener is given: the chain, and what the packet cache must know without asking the chain."""

    handler: Handler
    waiting: eager.Waiting
    group_of: Callable[[str], str]
    is_limited: Callable[[str], bool]  # False: exempt from the rate limit
    admit: Callable[[str, float], int]  # 0 answer, 1 silence, 2 truncate
    limited: Answer  # what a client above its rate gets, when it gets one: truncation
    repeat: Repeat
    batch: Callable[[socket.socket], DatagramIO]
    payload: int = 1232
    in_flight: int = 10_000
    counts: UdpCounts = field(default_factory=UdpCounts)


class UdpListener:
    """One bound UDP socket. `start` and `stop` it in a running loop."""

    def __init__(self, bound: socket.socket, parts: UdpParts) -> None:
        bound.setblocking(False)
        self._socket = bound
        self._parts = parts
        self._counts = parts.counts
        self._batch = parts.batch(bound)
        self._repeats = RepeatCounter(parts.repeat)
        self._caches: dict[str, PacketCache] = {}
        self._clients: dict[Host, CacheClient] = {}
        self._in_flight = 0
        self._taken = 0  # datagrams of the last wake-up
        self._woken = 0.0  # when that was
        self._out: list[Datagram] | None = None  # answers of this wake-up; None between wake-ups
        self._tick: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._readable)
        self._tick = loop.call_later(1.0, self._every_second)

    async def stop(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._tick:
            self._tick.cancel()
        self._repeats.flush()

    def forget(self, reaches: Reaches | None = None) -> None:
        """Another policy: every question is judged anew, every client's group looked up."""
        self._repeats.flush()
        self._caches.clear()
        self._clients.clear()

    def is_busy(self) -> bool:
        """Did the last wake-up, just now, find a crowd? Then work that can wait does."""
        return self._taken >= CROWD and time.monotonic() - self._woken < JUST_NOW

    def _every_second(self) -> None:
        self._repeats.flush()
        self._tick = asyncio.get_running_loop().call_later(1.0, self._every_second)

    def _readable(self) -> None:
        now = time.monotonic()
        clients = self._clients.get
        self._out = out = []
        arrived = self._batch.recv_many(self._socket, BATCH, LONGEST)
        self._taken, self._woken = len(arrived), now
        try:
            for data, address in arrived:
                client = clients(address[0]) or self._new_client(address[0])
                entry = client.cache.find(data[2:])
                if entry is None or now >= entry.fresh or client.limited:
                    self._slow(data, address, client, now)
                    continue
                if entry.client is client:
                    entry.count += 1
                else:
                    self._repeats.count(entry, client, time.time())
                out.append((data[:2] + entry.tail, address))
        finally:
            self._out = None
            if out:
                self._counts.unsent += len(out) - self._batch.send_many(self._socket, out)

    def _new_client(self, host: Host) -> CacheClient:
        if len(self._clients) >= CLIENTS:
            self._clients.clear()
        ip = datagrams.host_text(host)
        group = self._parts.group_of(ip)
        cache = self._caches.get(group)
        if cache is None:
            cache = self._caches[group] = PacketCache()
        client = self._clients[host] = CacheClient(ip, cache, self._parts.is_limited(ip))
        return client

    def _slow(self, data: bytes, address: Address, client: CacheClient, now: float) -> None:
        """All that is not a fresh repeat of an unlimited client."""
        entry = client.cache.find(data[2:]) or client.cache.find_older(data[2:])
        if entry is not None and now < entry.dead:
            admitted = self._parts.admit(client.ip, now) if client.limited else 0
            if admitted == 0:
                self._repeat_stale(entry, client, data, address, now)
            else:
                self._hold_off(entry, client, data, address, admitted)
            return
        self._ask(data, address, client, now)

    def _repeat_stale(
        self, entry: PacketEntry, client: CacheClient, data: bytes, address: Address, now: float
    ) -> None:
        """Renew the prepared bytes where a second has passed, then repeat."""
        if now >= entry.fresh:
            limit = limit_of(entry.query, self._parts.payload)
            entry.prepare(to_wire(entry.query, entry.answer, now, limit), now)
        self._repeats.count(entry, client, time.time())
        self._send(data[:2] + entry.tail, address)

    def _hold_off(
        self, entry: PacketEntry, client: CacheClient, data: bytes, address: Address, admitted: int
    ) -> None:
        """Above the rate: silence, or truncation so that an honest client comes by TCP. Counted and recorded."""
        self._counts.limited += 1
        if entry.limited is None:
            entry.limited = PacketEntry(entry.query, self._parts.limited, entry.dead)
            entry.limited.prepare(to_wire(entry.query, self._parts.limited, 0.0, 512), 0.0)
        self._repeats.count(entry.limited, client, time.time())
        if admitted == 2:
            self._send(data[:2] + entry.limited.tail, address)

    def _ask(self, data: bytes, address: Address, client: CacheClient, now: float) -> None:
        self._counts.queries += 1
        try:
            query = read_query(data, client.ip, "udp", now)
        except WireError as error:
            self._counts.malformed += 1
            if error.reply is not None:
                self._send(error.reply, address)
            return
        if self._in_flight >= self._parts.in_flight:
            self._counts.overload += 1
            return
        self._in_flight += 1
        answered = partial(self._answered, query, data, address, client.cache)
        eager.run(self._parts.handler(query), answered, self._parts.waiting)

    def _answered(
        self, query: Query, data: bytes, address: Address, cache: PacketCache, answer: Answer
    ) -> None:
        self._in_flight -= 1
        if answer.silent:
            return
        now = query.now if not answer.stored else time.monotonic()
        wire = to_wire(query, answer, now, limit_of(query, self._parts.payload))
        if cache.is_known(key := data[2:]) and is_repeatable(query, answer, len(data)):
            entry = PacketEntry(query, answer, end_of(answer, now, time.time()))
            entry.prepare(wire, now)
            cache.put(key, entry)
        self._send(wire, address)

    def _send(self, wire: bytes, address: Address) -> None:
        """With the others of this wake-up, or at once. What the socket does not take is lost and counted."""
        if self._out is not None:
            self._out.append((wire, address))
        elif not self._batch.send_many(self._socket, [(wire, address)]):
            self._counts.unsent += 1
