"""What the hub does unasked, now and then: notes killed doors, forgets what has expired, removes old days."""

import asyncio

from namewarden.events.days import StoreError
from namewarden.hub.control import ControlError
from namewarden.hub.desk import Desk

STEP = 5.0  # seconds
EXPIRY = 600.0  # seconds between sweeps of expired control data


async def run(desk: Desk, step: float = STEP) -> None:
    """Until cancelled. A store that cannot be used now is tried again at the next step."""
    swept = desk.clock()
    while True:
        await asyncio.sleep(step)
        try:
            await desk.ingest.note_ended()
            if desk.clock() - swept >= EXPIRY:
                swept = desk.clock()
                await asyncio.to_thread(desk.control.expire)
        except (StoreError, ControlError) as problem:
            desk.store.problem = str(problem)
