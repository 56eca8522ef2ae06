"""What the hub does unasked, now and then: notes killed reporters, forgets what has expired, removes old days."""

import asyncio
import contextlib

from namewarden.events.log import EventLogError, Gap
from namewarden.hub.control import ControlError
from namewarden.hub.services import Services

STEP = 5.0  # seconds
EXPIRY = 600.0  # seconds between sweeps of expired control data


async def run(services: Services, step: float = STEP) -> None:
    """Until cancelled. A log that cannot be used now is tried again at the next step."""
    swept = services.clock()
    while True:
        await asyncio.sleep(step)
        with contextlib.suppress(EventLogError, ControlError):  # both say so where they are used
            for run in services.reporters.ended():
                gap = Gap(services.clock(), run.run, run.source, "killed")
                await services.ingest.note_gap(gap)
            if services.clock() - swept >= EXPIRY:
                swept = services.clock()
                await asyncio.to_thread(services.control.expire)
                services.control.reserve.keep()
