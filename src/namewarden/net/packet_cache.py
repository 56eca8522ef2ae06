"""The packet cache: a question answered lately is answered from bytes prepared then, before any object is built.

Beside what was answered it answers what was prepared: names that a list denies, and nobody else speaks about.
Keyed by the message as sent but for its id and EDNS options, which nothing here answers (flags, 0x20 case, DO, CD and
UDP size are in the key), apart for each client group, and in it for clients that lines of lists or zones know by their
address. It limits, looks the group up and records as the stages do that it stands in for; which, and what each adds, is
declared in `chain.py`. A change of policy ends what it reaches; time makes an entry be judged anew.
Counterpart: `udp.py` asks `lookup` first and gives `store` what the chain answered.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from msgspec.structs import replace

from namewarden import native
from namewarden.net.datagrams import Address, Datagram, Host, host_text
from namewarden.net.denials import Denials, Row, Rows, is_plain, spliced
from namewarden.net.known import KnownQuestions
from namewarden.net.listener import Reaches
from namewarden.net.packet_entry import (
    REJUDGE,
    CacheClient,
    PacketEntry,
    Shard,
    end_of,
    is_reached,
    is_repeatable,
    size_of,
)
from namewarden.net.repeats import RepeatCounter, Repeats
from namewarden.net.waste import Waste
from namewarden.query import Answer, Event, Query
from namewarden.wire.answers import limit_of, to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.message import TC, read_query
from namewarden.wire.options import without_options
from namewarden.wire.prepared import EACH, place_of

if TYPE_CHECKING:
    from namewarden.net._packets import Packets

MOST_BYTES = 32 * 1024 * 1024  # of all entries
CLIENTS = 20_000  # addresses remembered before all are looked up anew
SHORTEST = 512  # octets that every client takes
SWEPT = 32  # entries given up that are freed after a wake-up: 50 µs
SWEPT_IDLE = 1000  # and once a second, whoever asks
_CUT = TC >> 8  # in the third octet: what was sent truncated has no TTLs
_ANSWER, _TRUNCATE = 0, 2  # what `admit` says; everything else is silence


class _Counts(Protocol):
    limited: int


@dataclass(frozen=True)
class CacheRules:
    """What the stages know that the packet cache stands in for."""

    group_of: Callable[[str], str]
    is_allowed: Callable[[str], bool]  # False: what friends asked lately is not for it
    is_limited: Callable[[str], bool]  # False: exempt from the rate limit
    admit: Callable[[str, float], int]  # 0 answer, 1 silence, 2 truncate
    limited: tuple[Answer, Answer]  # above the rate: silence, truncation
    turned_away: Callable[[Query, Answer], None]  # records a query above the rate
    repeated: Callable[[Query, Answer], Event]  # what the next one that asks the same leaves
    record_repeats: Callable[[Repeats], None]
    counts: _Counts
    denials: Callable[[str], Denials | None] = lambda group: None
    record_rows: Callable[[Rows], None] = lambda rows: None
    # When the next rule about one of these names ends, epoch seconds; 0: none does.
    end_about: Callable[[Sequence[str], float], float] = lambda names, now: 0.0
    key_of: Callable[[str, str], str] = lambda client, group: ""  # what zones know of the client
    class_of: Callable[[str], str] = lambda client: ""  # lines of lists that are for some clients
    payload: int = 1232  # octets of an answer at most
    wall: Callable[[], float] = time.time  # epoch seconds


class PendingQuery(NamedTuple):
    """A query that the chain answers, and what `store` must know of it."""

    query: Query
    data: bytes
    address: Address
    client: CacheClient
    generation: int  # of the cache, when it was asked


class PacketCache:
    """One for all listeners of a process. Whoever has it calls `flush` once a second and at the end."""

    def __init__(
        self,
        rules: CacheRules,
        most_bytes: int = MOST_BYTES,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.generation = 0  # rises with every change of policy
        self.bytes = 0  # of the younger generation
        self._half = most_bytes // 2
        self._rules = rules
        self._shards: dict[tuple[str, str], Shard] = {}
        self._strangers = Shard()  # nothing is kept for them
        self._clients: dict[Host, CacheClient] = {}
        self._repeats = RepeatCounter(rules.record_repeats, rules.wall)
        self._rows = Rows()
        self._known = KnownQuestions()
        self._waste = Waste()
        helper = native.load("namewarden.net._packets", environ)
        self._helped = float("inf")  # when the helper was last asked
        self._helper: Packets | None = None
        if helper:
            self._helper = helper.Packets(
                PacketEntry, CacheClient, self._repeats, self._keep_denial, rules.admit,
                self._known.table, rules.payload,
            )  # fmt: skip

    def answer(self, arrived: list[Datagram], out: list[Datagram], now: float) -> list[Datagram]:
        """Put the messages for repeats, and what else the C helper has, into `out`; give back what goes to `lookup`,
        without EDNS options."""
        if self._helper is None:
            return self._repeat(arrived, out, now)
        self._helped = now
        off: list[tuple[Datagram, int]] = []
        rest = self._helper.answer(arrived, self._clients, out, off, now)
        for (data, address), admitted in off:
            if wire := self._hold_off(data, self.client(address[0]), admitted, now):
                out.append((wire, address))
        return rest

    def _repeat(self, arrived: list[Datagram], out: list[Datagram], now: float) -> list[Datagram]:
        """What the C helper does with repeats: limited clients take their tokens in the order in which they came."""
        rest: list[Datagram] = []
        is_in_order, clients = True, self._clients
        for sent, address in arrived:
            data = without_options(sent)
            datagram = data, address
            client = clients.get(address[0])
            entry = None
            if client is not None and (is_in_order or not client.is_limited):
                entry = client.entries.get(data[2:])
            if client is None or entry is None or now >= entry.dead:
                rest.append(datagram)
                is_in_order = is_in_order and client is not None and not client.is_limited
            elif client.is_limited or now >= entry.fresh:
                if wire := self._look_closer(data, client, now):
                    out.append((wire, address))
            else:
                if entry.client is client:
                    entry.count += 1
                else:
                    self._repeats.count(entry, client)
                out.append((data[:2] + entry.tail, address))
        return rest

    def lookup(self, data: bytes, host: Host, now: float) -> bytes | None:
        """The message to send, b"" for silence; None: the chain's business."""
        return self._look_closer(data, self.client(host), now)

    def client(self, host: Host) -> CacheClient:
        return self._clients.get(host) or self._new_client(host)

    def store(self, asked: PendingQuery, answer: Answer, wire: bytes, now: float) -> None:
        """Keep what is sent for the next one that asks the same: where the question came before, where only time
        and policy decide about the answer, and the policy is still the one it was asked under.

        The second time it comes, for names that never repeat, as floods of random ones do, shall neither cost the
        memory nor wash the others out.
        """
        query, client, key = asked.query, asked.client, asked.data[2:]
        if asked.generation != self.generation or client.shard is self._strangers:
            return
        if not is_repeatable(query, answer, len(asked.data)) or not self._known.is_known(key):
            return
        event = self._rules.repeated(replace(query, group=client.group), answer)
        wall = self._rules.wall()
        end = end_of(answer, now, wall)
        if event.cnames and (over := self._rules.end_about(event.cnames, wall)):
            end = min(end, now + over - wall)
        entry = PacketEntry(wire[2:], event, end)
        if answer.stored and not wire[2] & _CUT:
            entry.count_down(answer, 10 + len(query.question), now)
        self._put(client.shard, key, entry)

    def forget(self, reaches: Reaches | None = None) -> None:
        """Another policy: what it reaches and what is in flight is judged anew, each client's group looked up."""
        self.flush()
        self.generation += 1
        self._forget_clients()
        if reaches is None:
            for shard in self._shards.values():
                self._waste.add(shard.younger, shard.older)
            self._shards.clear()
            self.bytes = 0
            return
        for shard in self._shards.values():
            for entries in (shard.younger, shard.older):
                for key in [key for key, entry in entries.items() if is_reached(entry, reaches)]:
                    entry = entries.pop(key)
                    self.bytes -= entry.size if entries is shard.younger else 0

    def _forget_clients(self) -> None:
        self._waste.add(self._clients)
        self._clients = {}

    def flush(self) -> None:
        """Record the repeats counted so far."""
        self._repeats.flush()
        self._waste.sweep(SWEPT_IDLE)

    def _new_client(self, host: Host) -> CacheClient:
        if len(self._clients) >= CLIENTS:
            self._forget_clients()
        ip, rules = host_text(host), self._rules
        group = rules.group_of(ip)
        is_friend = rules.is_allowed(ip)
        known = rules.key_of(ip, group)
        key = group, f"{known}/{rules.class_of(ip)}"
        shard = self._shards.setdefault(key, Shard()) if is_friend else self._strangers
        denials = rules.denials(group) if is_friend and not known else None
        client = CacheClient(ip, group, shard, rules.is_limited(ip), denials)
        client.since = self._helped
        self._clients[host] = client
        return client

    def _look_closer(self, data: bytes, client: CacheClient, now: float) -> bytes | None:
        """What the C helper or `_repeat` did not answer, or leaves to be renewed or limited here."""
        key = data[2:]
        entry = client.entries.get(key) or self._rejuvenated(client.shard, key)
        if entry is None and self._is_looked_at(client, now):
            return None
        if entry is None or now >= entry.dead:
            return self._deny(data, client, now)
        admitted = self._rules.admit(client.ip, now) if client.is_limited else _ANSWER
        if admitted != _ANSWER:
            return self._hold_off(data, client, admitted, now)
        if now >= entry.fresh:
            entry.renew(now)
        self._repeats.count(entry, client)
        return data[:2] + entry.tail

    def _is_looked_at(self, client: CacheClient, now: float) -> bool:
        """Has the C helper looked for a denial in vain? Not for who was unknown then, nor for all of who is limited."""
        denials = client.denials
        is_able = denials is not None and denials.api is not None
        return is_able and not client.is_limited and client.since < now

    def _deny(self, data: bytes, client: CacheClient, now: float) -> bytes | None:
        """The answer of a list's plain line; None: the chain's business."""
        denials = client.denials
        if denials is None:
            return None
        try:
            query = read_query(data, client.ip, "udp", now)
        except WireError:
            return None
        if not is_plain(query, data) or (found := denials.find(query.name)) is None:
            return None
        prepared = denials.answers[EACH * found[0] + place_of(query)]
        if prepared is None or denials.is_ruled(query.name):
            return None
        wire = spliced(data, query, prepared)
        if len(wire) > limit_of(query, self._rules.payload):
            return None
        admitted = self._rules.admit(client.ip, now) if client.is_limited else _ANSWER
        if admitted != _ANSWER:
            return self._hold_off(data, client, admitted, now)
        row = prepared.code | query.qtype, found[0] << 40 | found[1], query.name
        if self._known.is_known(data[2:]):
            self._keep_denial(client, data[2:], wire[2:], row, now)
        else:
            self._rows.add(denials.source, row, client.ip)
        return wire

    def _keep_denial(
        self, client: CacheClient, key: bytes, tail: bytes, row: Row, now: float
    ) -> None:
        """The question came again: from now on its repeats are counted, and share an event."""
        assert client.denials is not None, "who was denied has denials"
        client.shard.older.pop(key, None)
        entry = PacketEntry(tail, client.denials.source.event_at(*row), now + REJUDGE)
        self._put(client.shard, key, entry)
        self._repeats.count(entry, client)

    def report(self) -> None:
        """Hand over the events since the last call; a listener does at the end of a wake-up."""
        self._repeats.report()
        self._waste.sweep(SWEPT)
        if self._rows.clients:
            rows, self._rows = self._rows, Rows()
            self._rules.record_rows(rows)
        if self._helper and (taken := self._helper.rows()):
            self._rules.record_rows(Rows(*taken))

    def _hold_off(self, data: bytes, client: CacheClient, admitted: int, now: float) -> bytes:
        """Above the rate: silence, or truncation so that an honest client comes by TCP. Counted and recorded."""
        self._rules.counts.limited += 1
        query = replace(read_query(data, client.ip, "udp", now), group=client.group)
        silence, truncation = self._rules.limited
        answer = truncation if admitted == _TRUNCATE else silence
        self._rules.turned_away(query, answer)
        return b"" if answer.silent else to_wire(query, answer, now, SHORTEST)

    # Entries.

    def _put(self, shard: Shard, key: bytes, entry: PacketEntry) -> None:
        entry.size = size_of(key, entry)
        if key in shard.younger:
            self.bytes -= shard.younger[key].size
        elif self.bytes + entry.size > self._half:
            self._grow_older()
        self.bytes += entry.size
        shard.younger[key] = entry
        # Two for one that comes: what waits to be freed and what is kept never exceed the bound together.
        self._waste.sweep(2)

    def _grow_older(self) -> None:
        for shard in self._shards.values():
            self._waste.add(shard.older)
            shard.older = dict(shard.younger)
            shard.younger.clear()  # the same dict goes on: every client of the group holds it
        self.bytes = 0

    def _rejuvenated(self, shard: Shard, key: bytes) -> PacketEntry | None:
        """An entry of the older generation, made young again."""
        entry = shard.older.pop(key, None)
        if entry is not None:
            self._put(shard, key, entry)
        return entry
