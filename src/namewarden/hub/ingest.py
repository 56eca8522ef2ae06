"""The way of a batch through the hub: read, stored, handed to the sinks, acknowledged.

One thread writes, whoever sends. What is acknowledged is committed; what cannot be stored now is refused and comes
again (`events/sender.py`).
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import structlog

from namewarden.events.batch import Batch, from_wire
from namewarden.events.log import EventLog, EventLogError, Gap, Stored

WAITING = 16  # batches in the hub at a time: they bound its memory
LOG_EACH = 100  # failures of a sink; the first is logged too
Given = TypeVar("Given")
Done = TypeVar("Done")

log = structlog.get_logger("ingest")


class Sink(Protocol):
    """Whoever wants each batch that was stored, heartbeats without rows among them."""

    def take(self, batch: Batch) -> None:
        """In the writer's thread, before the source hears of it: what takes time is put into a bounded queue.

        Once for each batch, but not when the hub is killed between storing and this. What it raises is counted and
        logged; store, source and other sinks do not feel it.
        """


class Ingest:
    """`sinks` by the name that their failures are counted under."""

    def __init__(self, event_log: EventLog, sinks: Mapping[str, Sink]) -> None:
        self.problem = ""  # why the last batch could not be stored; "" = it was
        self.failures = dict.fromkeys(sinks, 0)
        self._event_log = event_log
        self._sinks = sinks
        self._writer = ThreadPoolExecutor(1, "event-log")
        self._room = asyncio.Semaphore(WAITING)

    async def put(self, body: bytes) -> Stored:
        """BatchError: never again so. EventLogError: not now."""
        if self._room.locked():
            raise EventLogError("too many batches at a time")
        async with self._room:
            return await self._write(self._store, body)

    async def note_gap(self, gap: Gap) -> None:
        """EventLogError."""
        await self._write(self._event_log.note_gap, gap)

    def stop(self) -> None:
        self._writer.shutdown()

    async def _write(self, work: Callable[[Given], Done], given: Given) -> Done:
        loop = asyncio.get_running_loop()
        try:
            done = await loop.run_in_executor(self._writer, work, given)
        except EventLogError as problem:
            self.problem = str(problem)
            raise
        self.problem = ""
        return done

    def _store(self, body: bytes) -> Stored:
        batch = from_wire(body)
        stored = self._event_log.append(batch)
        if stored.rows or not stored.repeated:
            self._hand_out(batch)
        return stored

    def _hand_out(self, batch: Batch) -> None:
        for name, sink in self._sinks.items():
            try:
                sink.take(batch)
            except Exception:
                self.failures[name] += 1
                if (count := self.failures[name]) == 1 or count % LOG_EACH == 0:
                    log.exception("a sink failed", sink=name, failures=count)
