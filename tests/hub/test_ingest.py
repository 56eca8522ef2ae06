"""From bytes to disk and counters."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import structlog

from namewarden.events.batch import Batch, BatchError, from_events, to_events, to_wire
from namewarden.events.log import EventLogError, Gap, Period
from namewarden.hub.ingest import RUNS, WAITING, Ingest
from tests.events.list_log import ListLog
from tests.events.samples import NOON, blocked, event
from tests.hub.made import Clock, at_socket, build, services


async def test_many_at_once_are_stored_each(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        bodies = [to_wire(from_events(f"r{n}", 1, "resolver", [event()])) for n in range(WAITING)]
        stored = await asyncio.gather(*(parts.ingest.put(body) for body in bodies))
        assert [each.rows for each in stored] == [1] * WAITING


async def test_junk_is_said_to_be_junk(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        with pytest.raises(BatchError):
            await parts.ingest.put(b"junk")


async def test_a_killed_source_is_written_down(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock) as parts:
        await parts.ingest.put(to_wire(from_events("r", 1, "resolver", [event()])))
        clock.now += 60
        gap = Gap(clock.now, "r", "resolver", "killed")
        await parts.ingest.note_gap(gap)
        assert parts.event_log.gaps(Period(0, clock.now + 1)) == [gap]


class Blocked:
    """A sink, as enforcement will be one: which names were blocked."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def take(self, batch: Batch) -> None:
        self.names += [each.name for each in to_events(batch) if each.action == "block"]


class Broken:
    def take(self, batch: Batch) -> None:
        raise RuntimeError("a bug")


async def test_a_sink_more_needs_no_other_change(tmp_path: Path) -> None:
    sink = Blocked()
    rows = [event(), blocked("bad.example.net.")]
    async with services(tmp_path, sinks={"enforcement": sink}) as parts:
        for _ in range(2):  # a batch that comes twice is handed out once
            await parts.ingest.put(to_wire(from_events("r", 1, "resolver", rows)))
        assert sink.names == ["bad.example.net."]


class Counted:
    def __init__(self) -> None:
        self.taken: list[tuple[str, int]] = []

    def take(self, batch: Batch) -> None:
        self.taken.append((batch.run, batch.sequence))


async def test_a_batch_without_rows_that_comes_twice_is_handed_out_once(tmp_path: Path) -> None:
    sink = Counted()
    first = msgspec.structs.replace(from_events("r", 1, "resolver", []), dropped_events=7)
    old = from_events("old", 1, "resolver", [event(time=0.0)])  # misdated: no row is stored
    async with services(tmp_path, sinks={"counted": sink}) as parts:
        for batch in (first, first, old, old, from_events("r", 2, "resolver", []), first):
            await parts.ingest.put(to_wire(batch))
        assert sink.taken == [("r", 1), ("old", 1), ("r", 2)]
        for n in range(2 * RUNS):
            await parts.ingest.put(to_wire(from_events(f"n{n}", 1, "resolver", [])))
        assert len(parts.ingest._handed) == RUNS


async def test_a_sink_that_fails_hurts_nobody(tmp_path: Path) -> None:
    sink = Blocked()
    with structlog.testing.capture_logs() as logged:
        async with services(tmp_path, sinks={"broken": Broken(), "well": sink}) as parts:
            for n in range(1, 202):
                body = to_wire(from_events("r", n, "resolver", [blocked(f"n{n}.test.")]))
                assert (await parts.ingest.put(body)).rows == 1
            assert len(sink.names) == 201
            assert parts.ingest.problem == ""
            assert parts.ingest.failures == {"reporters": 0, "metrics": 0, "broken": 201, "well": 0}
            async with at_socket(build(parts)) as client:
                text = (await client.get("/api/v1/metrics")).text
    assert 'namewarden_sink_failures_total{sink="broken"} 201.0' in text.splitlines()
    assert 'namewarden_sink_failures_total{sink="well"} 0.0' in text.splitlines()
    assert [each["failures"] for each in logged] == [1, 100, 200]


async def test_what_is_new_of_a_batch_that_came_in_part_before_is_handed_out(
    tmp_path: Path,
) -> None:
    """Two days, and the second could not be stored the first time."""
    sink = Blocked()
    both = [blocked("before.", time=NOON), blocked("after.", time=NOON + 43_200)]
    async with services(tmp_path, sinks={"enforcement": sink}) as parts:
        parts.event_log.append(from_events("r", 1, "resolver", both[:1]))
        stored = await parts.ingest.put(to_wire(from_events("r", 1, "resolver", both)))
        assert (stored.rows, stored.repeated) == (1, 1)
        assert sink.names == ["before.", "after."]
        assert 'status="BLOCKED"} 2.0' in parts.metrics.page().decode()


class Shut(ListLog):
    """Cannot be opened, and then can."""

    is_shut = True

    def start(self) -> None:
        if self.is_shut:
            raise EventLogError("somebody has it")
        super().start()


async def test_a_log_that_cannot_be_opened_is_tried_with_each_batch_and_said_once() -> None:
    said: list[str] = []
    log = Shut(91, lambda: NOON)
    ingest = Ingest(log, {}, said.append)
    ingest.start()
    body = to_wire(from_events("r", 1, "resolver", [event()]))
    for _ in range(2):
        with pytest.raises(EventLogError):
            await ingest.put(body)
    assert ingest.problem == "somebody has it"
    log.is_shut = False
    assert (await ingest.put(body)).rows == 1
    assert said == ["events are not stored: somebody has it", "events are stored again"]
    ingest.stop()


class Damaged(ListLog):
    def problems(self) -> list[str]:
        return ["a day is damaged"]

    def stop(self) -> None:
        raise EventLogError("no room")


async def test_damage_is_named_once_and_an_end_is_never_a_traceback() -> None:
    said: list[str] = []
    ingest = Ingest(Damaged(91, lambda: NOON), {}, said.append)
    ingest.start()
    await ingest.put(to_wire(from_events("r", 1, "resolver", [event()])))
    ingest.stop()
    assert said == ["a day is damaged", "the event log was not closed in order: no room"]
