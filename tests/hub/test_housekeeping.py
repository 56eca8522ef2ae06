"""What happens unasked."""

import asyncio
from pathlib import Path

from namewarden.events.batch import from_events
from namewarden.events.log import Period
from namewarden.hub import housekeeping
from tests.hub.made import Clock, services, until


async def test_a_gap_that_cannot_be_noted_now_is_noted_later(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock) as parts:
        for run in ("one", "two"):
            parts.reporters.take(from_events(run, 1, "resolver", []))
        clock.now += 60
        parts.event_log.stop()
        task = asyncio.ensure_future(housekeeping.run(parts, 0.01))
        await until(lambda: bool(parts.ingest.problem))
        parts.event_log.start()
        await until(lambda: parts.event_log.summary(Period(0, clock.now * 2)).killed_runs == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_killed_sources_are_noted_and_expired_sessions_go(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock) as parts:
        parts.reporters.take(from_events("r", 1, "resolver", []))
        parts.control.put("session", "s", {}, expires=clock.now + 10)
        task = asyncio.ensure_future(housekeeping.run(parts, 0.01))
        await asyncio.sleep(0.05)
        clock.now += 700
        await until(lambda: parts.event_log.summary(Period(0, clock.now * 2)).killed_runs == 1)
        await until(lambda: parts.control.expire() == 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
