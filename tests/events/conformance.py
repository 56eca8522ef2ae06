"""What every event log must keep, whatever it is made of: `check(capability, open_log)` for each of CAPABILITIES.

All events are stored before the first question, so that wrong matches show. A log may be excused from a capability by
its name; when it turns out to have it, that is a failure too.
"""

import random
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from namewarden.events.batch import Batch, from_events
from namewarden.events.log import (
    EventLog,
    EventLogError,
    FilterError,
    Filters,
    Gap,
    Period,
    Stored,
    Summary,
)
from namewarden.query import Event
from tests.events.samples import NOON, blocked, event

HOUR, DAY = 3600.0, 86_400.0
RETENTION = 91  # days that a log is opened with
SIZE = 4 << 20  # octets that it may have
EVER = Period(0.0, NOON * 2)
EVENTS = [
    event(time=NOON - DAY, name="yesterday.example.org.", count=100),
    event(time=NOON, name="a.example.org.", client="192.0.2.1", score=0.1 + 0.2, band="uncertain"),
    event(time=NOON + 1, name="example.org.", client="192.0.2.2", qtype="AAAA", count=10),
    event(time=NOON + 1, name="notexample.org.", group="children", transport="tcp", rcode="SERVFAIL"),
    blocked("bad.example.net.", time=NOON + 2, count=5),
    event(time=NOON + HOUR, name="x.y.example.org.", action="review", reason="model_uncertain", family="conficker"),
    event(time=NOON + HOUR + 1, name="quo'te.test.", status="CACHE", source="coredns", count=2),
    event(time=NOON + HOUR + 2, name="\\000\\255.test.", client="2001:db8::1", rule='kids:7 /^a"b$/ \\ üñ',
          cnames=("c1.test.", "c2.test."), addresses=("192.0.2.8", "2001:db8::8"), duration=1e-9, rcode=""),
]  # fmt: skip
Open = Callable[[Callable[[], float]], EventLog]  # the same place again, with this clock; started


def check(capability: str, open_log: Open, excused: frozenset[str] = frozenset()) -> None:
    assert excused <= CAPABILITIES.keys()
    try:
        CAPABILITIES[capability](open_log)
    except (AssertionError, EventLogError, FilterError, pytest.fail.Exception):
        if capability not in excused:
            raise
    else:
        assert capability not in excused, "excused from what it can do: take the excuse away"


def now() -> float:
    return NOON


def batch(sequence: int, events: list[Event], run: str = "r", **changes: Any) -> Batch:
    made = from_events(run, sequence, "resolver", events, first=1000 * sequence)
    return replace(made, **changes)


def filled(open_log: Open, clock: Callable[[], float] = now) -> EventLog:
    """Two runs, out of order, and a batch that came twice."""
    log = open_log(clock)
    log.append(batch(1, EVENTS[4:]))
    log.append(batch(1, EVENTS[:2], run="other"))
    log.append(batch(1, EVENTS[:2], run="other"))
    log.append(batch(2, EVENTS[2:4]))
    return log


def everything(log: EventLog, filters: Filters | None = None) -> list[Event]:
    return [item for page in log.export(filters or Filters()) for item in page]


def names(log: EventLog, **filters: object) -> list[str]:
    asked = msgspec.convert(filters, Filters)
    found = [item.name for item in everything(log, asked)]
    assert [item.name for item in log.find(asked, 1000).events] == found
    return found


def comes_back_as_it_was(open_log: Open) -> None:
    log = filled(open_log)
    found = {item.name: item for item in everything(log)}
    assert {name: replace(item, id="") for name, item in found.items()} == {
        e.name: e for e in EVENTS
    }
    assert found["a.example.org."].id == "other-1001"
    assert found["bad.example.net."].id == "r-1000"
    log.append(batch(2**53 - 1, [event(name="most.", count=2**32 - 1)], first=2**53, run="large"))
    (most,) = log.find(Filters(name="most")).events
    assert (most.id, most.count) == (f"large-{2**53}", 2**32 - 1)
    log.stop()


def newest_first(open_log: Open) -> None:
    log = filled(open_log)
    times = [item.time for item in everything(log)]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(EVENTS)
    log.stop()


FILTERED: list[tuple[dict[str, object], list[str]]] = [
    ({"name": "example.org"}, ["example.org."]),
    ({"name": "EXAMPLE.org."}, ["example.org."]),
    ({"name": "*.example.org"}, ["x.y.example.org.", "a.example.org.", "yesterday.example.org."]),
    ({"name": "quo'te.test"}, ["quo'te.test."]),
    ({"name": "\\000\\255.test"}, ["\\000\\255.test."]),
    ({"client": "192.0.2.1"}, ["a.example.org."]),
    ({"client": "2001:db8::1"}, ["\\000\\255.test."]),
    ({"client": "192.0.2.0/30"}, ["example.org.", "a.example.org."]),
    ({"client": "2001:db8::/32"}, ["\\000\\255.test."]),
    ({"client": "198.51.100.0/24"}, []),
    ({"client": "192.0.2.0/30", "qtype": "AAAA"}, ["example.org."]),
    ({"action": "block"}, ["bad.example.net."]),
    ({"status": "CACHE"}, ["quo'te.test."]),
    ({"reason": "list_deny"}, ["bad.example.net."]),
    ({"group": "children"}, ["notexample.org."]),
    ({"family": "conficker"}, ["x.y.example.org."]),
    ({"qtype": "AAAA"}, ["example.org."]),
    ({"transport": "tcp"}, ["notexample.org."]),
    ({"rcode": "SERVFAIL"}, ["notexample.org."]),
    ({"source": "coredns"}, ["quo'te.test."]),
    ({"band": "uncertain"}, ["a.example.org."]),
    ({"action": "block", "qtype": "A"}, ["bad.example.net."]),
    ({"action": "block", "qtype": "AAAA"}, []),
    ({"name": "*.example.org", "client": "192.0.2.1"}, ["a.example.org."]),
    ({"since": NOON + HOUR + 1}, ["\\000\\255.test.", "quo'te.test."]),
    ({"since": NOON, "until": NOON + 1}, ["a.example.org."]),
    ({"until": NOON}, ["yesterday.example.org."]),
    ({"since": NOON + DAY}, []),
]  # fmt: skip


def each_filter_holds(open_log: Open) -> None:
    log = filled(open_log)
    for filters, expected in FILTERED:
        assert names(log, **filters) == expected, filters
    log.stop()


HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE rows; --",
    "?",
    "%",
    "_",
    "\\",
    "$1",
    '"',
    "\x00",
    "{}",
    "a.example.or%",
    "é",
    "*",
]


def a_value_is_only_a_value(open_log: Open) -> None:
    log = filled(open_log)
    for field in Filters.__struct_fields__[2:]:
        for value in HOSTILE:
            if field != "name" or "*" not in value:
                assert names(log, **{field: value}) == [], (field, value)
    assert len(everything(log)) == len(EVENTS)
    log.stop()


def what_cannot_be_asked_is_refused_at_once(open_log: Open) -> None:
    log = filled(open_log)
    for name in ("a.*.example.org", "a*", "*a.example.org"):
        with pytest.raises(FilterError, match="star"):
            log.find(Filters(name=name))
        with pytest.raises(FilterError, match="star"):
            log.export(Filters(name=name))
    for cursor in ("x", "'; --", "0", "2026-11-21", "é" * 120):
        with pytest.raises(FilterError):
            log.find(Filters(), 10, cursor)
    log.stop()


def pages(log: EventLog, size: int, between: Callable[[], object] = lambda: None) -> list[str]:
    seen, cursor = [], ""
    while True:
        page = log.find(Filters(), size, cursor)
        seen += [item.id for item in page.events]
        cursor = page.cursor
        if not cursor:
            return seen
        assert len(page.events) == size
        assert cursor.isascii() and len(cursor) <= 120
        between()


def pages_of_any_size_give_every_event_once(open_log: Open) -> None:
    """Also where many have one time, in two runs with the same numbers."""
    log = filled(open_log)
    for run in ("s", "t"):
        log.append(batch(1, [event(name=f"n{n}.test.") for n in range(20)], run=run))
    whole = [item.id for item in everything(log)]
    assert len(set(whole)) == len(EVENTS) + 40
    for size in (1, 3, 7, 16, 47, 48, 49):
        assert pages(log, size) == whole
    log.stop()


def what_comes_in_shifts_no_page(open_log: Open) -> None:
    log, more = filled(open_log), iter(range(3, 100))
    whole = [item.id for item in everything(log)]
    newer = [event(time=NOON + 2 * HOUR), event(time=NOON + HOUR + 2)]
    seen = pages(log, 2, lambda: log.append(batch(next(more), newer)))
    assert [each for each in seen if each in whole] == whole
    assert len(seen) == len(set(seen))
    log.stop()


def an_export_is_whole(open_log: Open) -> None:
    """Whatever else is asked and stored between its pages; one that is left does no harm."""
    log = open_log(now)
    count = 25_000  # more than a page
    for sequence in range(1, 6):
        rows = [event(time=NOON + n / 1e3, name=f"n{n}.b{sequence}.") for n in range(count // 5)]
        log.append(replace(batch(sequence, rows), first=sequence * count))
    seen = []
    for page in log.export(Filters()):
        seen += [item.id for item in page]
        log.append(batch(len(seen), [event(time=NOON - 1)], run="other"))
        assert log.summary(EVER).rows > len(log.find(Filters(), 1).events)
        next(log.export(Filters()))
    assert len(set(seen)) == len(seen)
    assert sum(each.startswith("r-") for each in seen) == count
    assert sum(map(len, log.export(Filters(), 12_345))) == 12_345
    log.stop()


def an_export_that_breaks_off_says_so(open_log: Open) -> None:
    log = open_log(now)
    for sequence in range(1, 4):
        rows = [event(time=NOON - DAY * sequence)] * 10_000
        log.append(replace(batch(sequence, rows), first=sequence * 10_000))
    exported = log.export(Filters())
    next(exported)
    log.stop()
    with pytest.raises(EventLogError):
        for _ in exported:
            pass


def sums_add_up(open_log: Open) -> None:
    log = filled(open_log)
    total = log.summary(Period(NOON, NOON + DAY))
    assert (total.queries, total.rows) == (21, 7)
    assert total.by_action == {"allow": 15, "block": 5, "review": 1}
    assert total.by_status == {"FORWARDED": 14, "BLOCKED": 5, "CACHE": 2}
    assert total.by_reason == {"none": 15, "list_deny": 5, "model_uncertain": 1}
    assert list(total.by_action) == ["allow", "block", "review"]
    assert total.by_hour == [(NOON, 17, 5), (NOON + HOUR, 4, 0)]
    assert log.summary(Period(NOON + 1, NOON + 2)).queries == 11
    assert log.summary(EVER).queries == 121
    log.append(batch(3, [event(count=1000)]))
    assert log.summary(EVER).queries == 1121
    log.stop()


def the_most_frequent_come_first(open_log: Open) -> None:
    log = filled(open_log)
    assert log.top("name", EVER, 3) == [
        ("yesterday.example.org.", 100),
        ("example.org.", 10),
        ("bad.example.net.", 5),
    ]
    ones = [name for name, queries in log.top("name", EVER) if queries == 1]
    assert len(ones) == 4 and ones == sorted(ones)
    assert log.top("name", EVER, blocked=True) == [("bad.example.net.", 5)]
    assert log.top("client", Period(NOON + 1, NOON + HOUR)) == [("192.0.2.2", 10), ("192.0.2.7", 6)]
    assert log.top("client", EVER, 1) == [("192.0.2.7", 109)]
    with pytest.raises(ValueError):
        log.top("rule; DROP", EVER)  # type: ignore[arg-type]
    log.stop()


def an_empty_log_answers(open_log: Open) -> None:
    log = open_log(now)
    assert (log.find(Filters()).events, log.find(Filters()).cursor) == ([], "")
    assert everything(log) == []
    assert log.top("name", EVER) == []
    assert log.gaps(EVER) == []
    assert log.summary(EVER) == Summary(0, 0, {}, {}, {}, [], 0, 0, 0)
    assert log.append(batch(1, [])) == Stored()
    log.stop()


def gaps_are_kept(open_log: Open) -> None:
    log = filled(open_log)
    late = [event(time=NOON + HOUR)]
    log.append(batch(3, late, dropped_events=3, dropped_queries=12))
    log.append(batch(3, late, dropped_events=3, dropped_queries=12))
    log.append(batch(4, [], dropped_events=1, dropped_queries=2))
    killed = Gap(NOON + DAY, "r", "resolver", "killed")
    log.note_gap(killed)
    assert [(gap.kind, gap.events, gap.queries) for gap in log.gaps(EVER)] == [
        ("dropped", 1, 2),
        ("dropped", 3, 12),
        ("killed", 0, 0),
    ]
    assert log.gaps(Period(NOON + DAY, NOON + DAY + 1)) == [killed]
    total = log.summary(EVER)
    assert (total.dropped_events, total.dropped_queries, total.killed_runs) == (4, 14, 1)
    log.stop()


def a_gap_is_counted_once(open_log: Open) -> None:
    """Also when the batch belongs to two days, or to none."""
    log = open_log(now)
    midnight = NOON + DAY / 2
    log.append(batch(1, [event(time=midnight - 1), event(time=midnight + 1)], dropped_events=5))
    log.append(batch(2, [event(time=0.0)], dropped_events=7))
    assert sorted(gap.events for gap in log.gaps(EVER)) == [5, 7]
    log.stop()


def a_repeated_batch_is_stored_once(open_log: Open) -> None:
    log = open_log(now)
    assert log.append(batch(1, [event()])) == Stored(rows=1)
    assert log.append(batch(1, [event()])) == Stored(repeated=1)
    assert log.append(batch(1, [event()], run="other")) == Stored(rows=1)
    assert log.append(batch(2, [event()])) == Stored(rows=1)
    assert log.append(batch(1, [event()])) == Stored(repeated=1)
    assert len(everything(log)) == 3
    log.stop()


def kept_over_a_restart(open_log: Open) -> None:
    log = filled(open_log)
    log.note_gap(Gap(NOON, "r", "resolver", "killed"))
    before = everything(log)
    log.stop()
    log = open_log(now)
    assert everything(log) == before
    assert len(log.gaps(EVER)) == 1
    assert log.append(batch(2, EVENTS[2:4])) == Stored(repeated=2)
    assert log.append(batch(3, [event()])) == Stored(rows=1)
    log.stop()


def days_are_of_universal_time(open_log: Open) -> None:
    log = filled(open_log)
    midnight = NOON + DAY / 2
    two = [event(time=midnight - 0.001, name="before."), event(time=midnight, name="after.")]
    assert log.append(batch(3, two)) == Stored(rows=2)
    assert names(log)[:2] == ["after.", "before."]
    days = log.days()
    assert len(days) == 3 and days == sorted(days, reverse=True)
    log.stop()


def what_is_too_old_goes_and_is_not_taken(open_log: Open) -> None:
    time = NOON
    log = open_log(lambda: time)
    log.append(batch(1, [event(time=time, name="first.")]))
    time += (RETENTION - 1) * DAY
    log.append(batch(2, [event(time=time, name="second.")]))
    assert names(log) == ["second.", "first."]
    time += DAY
    rows = [event(time=time, name="third."), event(time=NOON), event(time=time + 1e6)]
    assert log.append(batch(3, rows)) == Stored(rows=1, misdated=2)
    assert names(log) == ["third.", "second."]
    assert len(log.days()) == 2
    log.stop()


def the_oldest_goes_where_the_size_is_reached(open_log: Open) -> None:
    """Whole days, and of a day that is too large alone its beginning; sums are those of what is kept."""
    log = open_log(now)
    for sequence in (1, 2, 3):
        log.append(batch(sequence, [event(time=NOON - sequence * DAY)]))
    assert len(everything(log)) == 3
    size = 500
    for sequence in range(4, 30):  # some 7 MB that nobody can make smaller
        rows = [event(time=NOON + sequence, rule=random.randbytes(500).hex()) for _ in range(size)]
        assert log.append(batch(sequence, rows)) == Stored(rows=size)
    times = [item.time for item in everything(log)]
    assert len(log.days()) == 1
    assert min(times) > NOON + 4 and max(times) == NOON + 29
    total = log.summary(EVER)
    assert total.rows == total.queries == len(times) < 26 * size
    assert log.append(batch(4, [event()])) == Stored(repeated=1)
    log.stop()


def absurd_times_are_not_kept(open_log: Open) -> None:
    log = open_log(now)
    rows = [event(time=value) for value in (-1e300, 1e300, 0.0, 5e9, -1.0)]
    assert log.append(batch(1, rows)) == Stored(misdated=5)
    assert everything(log) == []
    log.stop()


def closed_it_says_so(open_log: Open) -> None:
    log = filled(open_log)
    log.stop()
    for ask in (
        lambda: log.append(batch(9, [event()])),
        lambda: log.find(Filters()),
        lambda: next(log.export(Filters())),
        lambda: log.summary(EVER),
        lambda: log.top("name", EVER),
        lambda: log.gaps(EVER),
        lambda: log.note_gap(Gap(NOON, "r", "resolver", "killed")),
    ):  # fmt: skip
        with pytest.raises(EventLogError):
            ask()


def readers_beside_the_writer_see_whole_batches(open_log: Open) -> None:
    log, size, problems = open_log(now), 500, []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            total, found = log.summary(EVER), len(everything(log))
            if total.queries % size or found % size or found < total.rows:
                problems.append((total.queries, found))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for sequence in range(1, 21):
        log.append(replace(batch(sequence, [event()] * size), first=sequence * size))
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert log.summary(EVER).rows == 20 * size
    log.stop()


def damage_is_named_and_the_rest_is_read(open_log: Open, spoil: Callable[[], object]) -> None:
    """For a log that keeps octets of its own: `spoil` makes one of the newest day wrong while it is closed."""
    log = open_log(now)
    day_before = [event(time=NOON - DAY, name=f"old{n}.test.") for n in range(100)]
    log.append(batch(1, day_before))
    log.append(batch(2, [event(time=NOON + n, name=f"n{n}.test.") for n in range(500)]))
    log.stop()
    spoil()
    log = open_log(now)
    log.append(batch(3, [event(time=NOON + 5000, name="after.test.")]))
    found = names(log)
    assert found[0] == "after.test."
    assert found[-100:] == [item.name for item in reversed(day_before)]
    (problem,) = log.problems()
    assert "damaged" in problem and "\n" not in problem
    log.stop()
    log = open_log(now)
    assert names(log) == found
    assert log.problems() == []
    log.stop()


CAPABILITIES: dict[str, Callable[[Open], None]] = {
    each.__name__: each
    for each in (
        comes_back_as_it_was,
        newest_first,
        each_filter_holds,
        a_value_is_only_a_value,
        what_cannot_be_asked_is_refused_at_once,
        pages_of_any_size_give_every_event_once,
        what_comes_in_shifts_no_page,
        an_export_is_whole,
        an_export_that_breaks_off_says_so,
        sums_add_up,
        the_most_frequent_come_first,
        an_empty_log_answers,
        gaps_are_kept,
        a_gap_is_counted_once,
        a_repeated_batch_is_stored_once,
        kept_over_a_restart,
        days_are_of_universal_time,
        what_is_too_old_goes_and_is_not_taken,
        the_oldest_goes_where_the_size_is_reached,
        absurd_times_are_not_kept,
        closed_it_says_so,
        readers_beside_the_writer_see_whole_batches,
    )
}
