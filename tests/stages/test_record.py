"""One event a query, whatever happens below."""

import asyncio

import pytest
from msgspec.structs import replace

from namewarden.events.recorder import Recorder
from namewarden.query import Answer, Event, Query, Verdict
from namewarden.stages.record import MOST_TURNED_AWAY, TurnedAway, record, to_event

QUERY = Query(1, "www.example.org.", 1, "192.0.2.1", "udp", 100.0, b"", group="children")


class Seen:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def record(self, event: Event) -> None:
        self.events.append(event)


async def through(query: Query, answer: Answer | BaseException) -> Event:
    seen = Seen()

    async def below(_query: Query) -> Answer:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    stage = record(seen, lambda: 100.25, lambda: 1000.0)
    if isinstance(answer, BaseException):
        with pytest.raises(type(answer)):
            await stage(query, below)
    else:
        assert await stage(query, below) is answer
    (event,) = seen.events
    return event


async def test_everything_said_about_the_query_is_in_its_event() -> None:
    verdict = Verdict(
        "block",
        "list_deny",
        "malware:1 x",
        score=0.5,
        band="uncertain",
        family="f",
        model="m",
        shadow="flag",
    )
    answer = Answer(
        3, status="BLOCKED", verdict=verdict, upstream="u", cnames=("c.",), addresses=("192.0.2.9",)
    )
    assert await through(QUERY, answer) == Event(
        "", 999.75, "resolver", "192.0.2.1", "children", "www.example.org.", "A", "udp", "BLOCKED", "block",
        "list_deny", "malware:1 x", 0.5, "uncertain", "f", "m", "flag", "u", 0.25, "NXDOMAIN", ("c.",), ("192.0.2.9",),
    )  # fmt: skip


async def test_silence_is_an_event_without_an_rcode() -> None:
    event = await through(
        QUERY, Answer(0, silent=True, status="DROPPED", verdict=Verdict("block", "rule_deny"))
    )
    assert (event.status, event.rcode, event.reason) == ("DROPPED", "", "rule_deny")


@pytest.mark.parametrize("fault", [ValueError("a bug"), asyncio.CancelledError()])
async def test_a_fault_below_leaves_its_event_and_goes_on_up(fault: BaseException) -> None:
    event = await through(QUERY, fault)
    assert (event.status, event.reason, event.name) == ("FAILED", "fault", QUERY.name)


async def test_nothing_said_means_allowed() -> None:
    event = await through(QUERY, Answer(0))
    assert (event.action, event.reason, event.status) == ("allow", "none", "FORWARDED")


async def test_an_allow_from_above_is_the_reason() -> None:
    allowed = Verdict("allow", "rule_allow", "www.example.org.")
    query = Query(1, "www.example.org.", 1, "192.0.2.1", "udp", 100.0, b"", allowed=allowed)
    assert (await through(query, Answer(0))).reason == "rule_allow"


@pytest.mark.parametrize(
    ("qtype", "text"),
    [(1, "A"), (65, "HTTPS"), (255, "ANY"), (65280, "TYPE65280"), (600, "TYPE600")],
)
async def test_types_are_said_in_words(qtype: int, text: str) -> None:
    query = Query(1, "www.example.org.", qtype, "192.0.2.1", "udp", 100.0, b"")
    assert (await through(query, Answer(0))).qtype == text


async def test_the_recorder_is_a_sink() -> None:
    recorder = Recorder("resolver", 10)

    async def below(_query: Query) -> Answer:
        return Answer(0)

    await record(recorder)(QUERY, below)
    assert recorder.waiting == 1


async def test_who_is_turned_away_shares_an_event_a_second_and_the_counts_add_up() -> None:
    seen = Seen()
    turned_away = TurnedAway(seen)
    stage = record(seen, turned_away=turned_away.add)
    answers = iter([Answer(5, status="REFUSED", verdict=Verdict("block", "acl"))] * 5 + [Answer(0)])

    async def below(_query: Query) -> Answer:
        return next(answers)

    for n in range(6):
        await stage(Query(1, f"n{n}.example.org.", 1, "192.0.2.1", "udp", 0.0, b""), below)
    turned_away.flush()
    turned_away.flush()
    said = [(event.name, event.status, event.count) for event in seen.events]
    assert said == [
        ("n0.example.org.", "REFUSED", 1), ("n5.example.org.", "FORWARDED", 1), ("n1.example.org.", "REFUSED", 4),
    ]  # fmt: skip


def test_a_flood_of_forged_addresses_does_not_fill_the_log() -> None:
    seen = Seen()
    turned_away = TurnedAway(seen)
    verdict = Verdict("block", "limit")
    for n in range(3 * MOST_TURNED_AWAY):
        query = Query(1, "a.", 1, f"10.{n >> 8}.{n & 255}.1", "udp", 0.0, b"")
        turned_away.add(to_event(query, Answer(0, verdict=verdict), 0.0, 1.0, "resolver"))
    turned_away.flush()
    assert len(seen.events) == MOST_TURNED_AWAY
    assert turned_away.unrecorded == 2 * MOST_TURNED_AWAY


def test_the_addresses_of_one_prefix_are_one_that_is_turned_away() -> None:
    seen = Seen()
    turned_away = TurnedAway(seen)
    answer = Answer(0, verdict=Verdict("block", "limit"))
    for client in [
        *(f"192.0.2.{n}" for n in range(100)),
        *(f"2001:db8:0:{n:x}::1" for n in range(100)),
    ]:
        turned_away.add(
            to_event(Query(1, "a.", 1, client, "udp", 0.0, b""), answer, 0.0, 1.0, "resolver")
        )
    turned_away.flush()
    assert [(event.client, event.count) for event in seen.events] == [
        ("192.0.2.0", 1), ("2001:db8:0:0::1", 1), ("192.0.2.1", 99), ("2001:db8:0:1::1", 99),
    ]  # fmt: skip


async def test_the_healthcheck_leaves_no_event() -> None:
    seen = Seen()

    async def below(_query: Query) -> Answer:
        return Answer(0)

    for qclass, count in ((3, 0), (1, 1)):
        await record(seen)(replace(QUERY, name="localhost.", qclass=qclass), below)
        assert len(seen.events) == count
