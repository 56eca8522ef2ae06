"""What the hub does unasked, now and then: notes killed reporters, forgets what has expired, removes old days."""

import asyncio
import contextlib

from namewarden.events.log import EventLogError, Gap
from namewarden.hub.control import ControlError
from namewarden.hub.reporters import RUNS
from namewarden.hub.services import Services

STEP = 5.0  # seconds
EXPIRY = 600.0  # seconds between sweeps of expired control data


async def run(services: Services, step: float = STEP) -> None:
    """Until cancelled. A log that cannot be used now is tried again at the next step."""
    swept = services.clock()
    gaps: list[Gap] = []  # not yet in the log
    while True:
        await asyncio.sleep(step)
        now = services.clock()
        ended = [Gap(now, run.run, run.source, "killed") for run in services.reporters.ended()]
        gaps = (gaps + ended)[:RUNS]
        with contextlib.suppress(EventLogError, ControlError):  # both say so where they are used
            while gaps:
                await services.ingest.note_gap(gaps[0])
                del gaps[0]
            if services.clock() - swept >= EXPIRY:
                swept = services.clock()
                await asyncio.to_thread(services.control.expire)
                services.control.reserve.keep()
