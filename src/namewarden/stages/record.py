"""Every query leaves exactly one event, whatever happens below; those that are turned away share theirs.

Who asked what is taken from the query as it was read, never from the answer. Counterparts: `events/recorder.py`
takes the events; the packet cache of `net/` records its repeats by `repeated`.
"""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from msgspec.structs import replace

from namewarden.events.rows import Rows
from namewarden.query import Answer, Event, Handler, Query, Stage, Verdict
from namewarden.stages.limit import REMEMBERED, prefix_of
from namewarden.wire.types import rcode_name, type_name

CHAOS = 3  # RFC 1035 §3.2.4
MOST_TURNED_AWAY = 64  # prefixes with events of their own in one second: any address can be forged
_TYPES = [type_name(number) for number in range(512)]
_RCODES = [rcode_name(number) for number in range(32)]
_NOTHING_SAID = Verdict("allow", "none")
_OUR_FAULT = Answer(2, silent=True, status="FAILED", verdict=Verdict("allow", "fault"))
_TURNED_AWAY = frozenset({"acl", "limit"})


class EventRecorder(Protocol):
    """Takes events at once and never fails: the recorder, or who prints for `explain`."""

    def record(self, event: Event) -> None: ...


class RowSink(EventRecorder, Protocol):
    """Takes the events of the packet cache too, many in one value."""

    def record_rows(self, rows: Rows) -> None: ...


class TurnedAway:
    """Events of clients that may not ask, or ask too fast: nobody fills the log by being refused.

    What the limit counts as one client is one here. Its first leaves an event at once. Its others up to the next
    `flush`, whatever they ask and whoever of the prefix asks, are one more event with the first of their questions
    and their `count`. Beyond MOST_TURNED_AWAY of them they are only counted.
    """

    def __init__(self, sink: EventRecorder) -> None:
        self.unrecorded = 0  # queries
        self._keep = sink.record
        self._prefix_of = lru_cache(REMEMBERED)(prefix_of)
        self._counts: dict[tuple[bytes, str, str], int] = {}  # beside the first
        self._more: dict[tuple[bytes, str, str], Event] = {}

    def add(self, event: Event) -> None:
        key = self._prefix_of(event.client), event.transport, event.reason
        count = self._counts.get(key)
        if count is not None:
            self._counts[key] = count + 1
            self._more.setdefault(key, event)
        elif len(self._counts) < MOST_TURNED_AWAY:
            self._counts[key] = 0
            self._keep(event)
        else:
            self.unrecorded += 1

    def flush(self) -> None:
        """Called once a second and at the end."""
        more, counts = self._more, self._counts
        self._more, self._counts = {}, {}
        for key, event in more.items():
            self._keep(replace(event, count=counts[key]))


def record(
    recorder: EventRecorder,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    source: str = "resolver",
    turned_away: Callable[[Event], None] | None = None,
) -> Stage:
    """`clock` is the one of `query.now`; `wall` gives epoch seconds; `turned_away` takes the events of its clients."""
    keep = recorder.record
    fold = turned_away or keep

    async def stage(query: Query, following: Handler) -> Answer:
        if is_health(query):
            return await following(query)
        try:
            answer = await following(query)
        except BaseException:  # a bug below, or the query was given up: it was asked all the same
            keep(to_event(query, _OUR_FAULT, clock() - query.now, wall(), source))
            raise
        event = to_event(query, answer, clock() - query.now, wall(), source)
        (fold if event.reason in _TURNED_AWAY else keep)(event)
        return answer

    return stage


def is_health(query: Query) -> bool:
    """Of our own `healthcheck`, every few seconds: nobody asked for a name."""
    return query.qclass == CHAOS and query.name == "localhost."


def to_event(query: Query, answer: Answer, duration: float, now: float, source: str) -> Event:
    """The event of one query; `now` is the epoch time of its end. The recorder gives the id."""
    verdict = answer.verdict or query.allowed or _NOTHING_SAID
    qtype, rcode = query.qtype, answer.rcode
    return Event(
        "",
        now - duration,
        source,
        query.client,
        query.group,
        query.name,
        _TYPES[qtype] if qtype < 512 else type_name(qtype),
        query.transport,
        answer.status,
        verdict.action,
        verdict.reason,
        verdict.rule,
        verdict.score,
        verdict.band,
        verdict.family,
        verdict.model,
        verdict.shadow,
        answer.upstream,
        duration,
        "" if answer.silent else _RCODES[rcode] if rcode < 32 else rcode_name(rcode),
        answer.cnames + answer.targets if answer.targets else answer.cnames,
        answer.addresses,
    )


def repeated(query: Query, answer: Answer, source: str) -> Event:
    """What a repeat leaves that the packet cache answers, but for client, time and count. What was forwarded once comes
    from memory now."""
    if answer.status == "FORWARDED":
        answer = replace(answer, status="CACHE")
    return to_event(query, answer, 0.0, 0.0, source)
