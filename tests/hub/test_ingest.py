"""From bytes to disk and counters."""

import asyncio
from pathlib import Path

import pytest

from namewarden.events.batch import BatchError, from_events, to_wire
from namewarden.hub.ingest import WAITING
from tests.events.samples import event
from tests.hub.made import Clock, services


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
        await parts.ingest.note_ended()
        day = parts.store.days.open(parts.store.days.present()[0])
        rows = (
            parts.store.days.cursor().execute(f"SELECT run, kind FROM {day.name}.gaps").fetchall()
        )
        assert rows == [("r", "killed")]
