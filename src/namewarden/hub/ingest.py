"""The way of a batch through the hub: read, stored, counted, acknowledged. One thread writes, whoever sends.

What is acknowledged is committed; what cannot be stored now is refused and comes again (`events/sender.py`).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from namewarden.events.batch import Batch, from_wire
from namewarden.events.days import StoreError
from namewarden.events.store import Store, Stored
from namewarden.hub.metrics import Metrics
from namewarden.hub.reporters import Reporters

WAITING = 16  # batches in the hub at a time: they bound its memory


class Ingest:
    def __init__(self, store: Store, reporters: Reporters, metrics: Metrics) -> None:
        self._store = store
        self._reporters = reporters
        self._metrics = metrics
        self._writer = ThreadPoolExecutor(1, "store")
        self._room = asyncio.Semaphore(WAITING)

    async def put(self, body: bytes) -> Stored:
        """BatchError: never again so. StoreError: not now."""
        if self._room.locked():
            raise StoreError("too many batches at a time")
        async with self._room:
            return await asyncio.get_running_loop().run_in_executor(
                self._writer, self._store_one, body
            )

    def _store_one(self, body: bytes) -> Stored:
        batch: Batch = from_wire(body)
        stored = self._store.append(batch)
        self._reporters.hear(batch)
        if not stored.repeated:
            self._metrics.count(batch)
        return stored

    async def note_ended(self) -> None:
        """Write down the sources that fell silent."""
        for run in self._reporters.ended():
            await asyncio.get_running_loop().run_in_executor(
                self._writer, self._store.note_gap, run.run, run.source, "killed"
            )

    def stop(self) -> None:
        self._writer.shutdown()
