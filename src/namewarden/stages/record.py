"""Every query leaves exactly one event, whatever happens below. Its counterpart is `events/recorder.py`.

Who asked what is taken from the query as it was read, never from the answer.
"""

import time
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from namewarden.query import Answer, Event, Handler, Query, Stage, Verdict
from namewarden.wire.types import rcode_name, type_name

_TYPES = [type_name(number) for number in range(512)]
_RCODES = [rcode_name(number) for number in range(32)]
_NOTHING_SAID = Verdict("allow", "none")
_OUR_FAULT = Answer(2, silent=True, status="FAILED", verdict=Verdict("allow", "fault"))


class Sink(Protocol):
    """Takes events at once and never fails: the recorder, or who prints for `explain`."""

    def record(self, event: Event) -> None: ...


def record(
    recorder: Sink,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
    source: str = "resolver",
) -> Stage:
    """`clock` is the one of `query.now`; `wall` gives epoch seconds."""
    keep = recorder.record

    async def stage(query: Query, following: Handler) -> Answer:
        try:
            answer = await following(query)
        except BaseException:  # a bug below, or the query was given up: it was asked all the same
            keep(to_event(query, _OUR_FAULT, clock() - query.now, wall(), source))
            raise
        keep(to_event(query, answer, clock() - query.now, wall(), source))
        return answer

    return stage


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
        answer.cnames,
        answer.addresses,
    )


def repeated(
    query: Query, answer: Answer, client: str, began: float, count: int, source: str
) -> Event:
    """The event of `count` repeats that the packet cache answered. What was forwarded once comes from memory now."""
    if answer.status == "FORWARDED":
        answer = replace(answer, status="CACHE", upstream="")
    event = to_event(query, answer, 0.0, began, source)
    return replace(event, client=client, count=count)
