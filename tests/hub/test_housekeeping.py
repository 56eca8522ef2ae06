"""What happens unasked."""

import asyncio
from pathlib import Path

from namewarden.events.batch import from_events
from namewarden.events.log import Period
from namewarden.hub import housekeeping
from tests.hub.made import Clock, services, until


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
