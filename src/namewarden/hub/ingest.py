"""The way of a batch through the hub: read, stored, handed to the sinks, acknowledged.

One thread writes, whoever sends. What is acknowledged is committed; what cannot be stored now is refused and comes
again (`events/sender.py`). A log that cannot be opened stops nobody: it is tried again with each batch.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import structlog

from namewarden.events.batch import Batch, from_wire
from namewarden.events.log import EventLog, EventLogError, Gap, Stored

WAITING = 16  # batches in the hub at a time: they bound its memory
RUNS = 256  # kept in mind, those that spoke last
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
    """`sinks` by the name that their failures are counted under. `notify` tells people, a line each time."""

    def __init__(
        self,
        event_log: EventLog,
        sinks: Mapping[str, Sink],
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.problem = ""  # why the last batch could not be stored; "" = it was
        self.failures = dict.fromkeys(sinks, 0)
        self._event_log = event_log
        self._notify = notify
        self._is_closed = False
        self._named = 0  # of the log's problems
        self._sinks = sinks
        # The last sequence of each run: the log does not know again what has no rows.
        self._handed: dict[str, int] = {}
        self._writer = ThreadPoolExecutor(1, "event-log")
        self._room = asyncio.Semaphore(WAITING)

    def start(self) -> None:
        """Open the log, now or as soon as it can be."""
        self._is_closed = True
        try:
            self._open()
        except EventLogError as problem:
            self._failed(problem)
        self._name_damage()

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
        try:
            self._event_log.stop()
        except EventLogError as problem:
            self._notify(f"the event log was not closed in order: {problem}")

    async def _write(self, work: Callable[[Given], Done], given: Given) -> Done:
        loop = asyncio.get_running_loop()
        try:
            done = await loop.run_in_executor(self._writer, self._opened, work, given)
        except EventLogError as problem:
            self._failed(problem)
            raise
        finally:
            self._name_damage()
        if self.problem:
            self._notify("events are stored again")
        self.problem = ""
        return done

    def _opened(self, work: Callable[[Given], Done], given: Given) -> Done:
        self._open()
        return work(given)

    def _open(self) -> None:
        if self._is_closed:
            self._event_log.start()
            self._is_closed = False

    def _failed(self, problem: EventLogError) -> None:
        if not self.problem:
            self._notify(f"events are not stored: {problem}")
        self.problem = str(problem)

    def _name_damage(self) -> None:
        for text in self._event_log.problems()[self._named :]:
            self._named += 1
            self._notify(text)

    def _store(self, body: bytes) -> Stored:
        batch = from_wire(body)
        stored = self._event_log.append(batch)
        is_repeated = stored.repeated or self._handed.get(batch.run, -1) >= batch.sequence
        if stored.rows or not is_repeated:
            self._hand_out(batch)
        return stored

    def _hand_out(self, batch: Batch) -> None:
        self._handed.pop(batch.run, None)
        self._handed[batch.run] = batch.sequence
        if len(self._handed) > RUNS:
            del self._handed[next(iter(self._handed))]
        for name, sink in self._sinks.items():
            try:
                sink.take(batch)
            except Exception:
                self.failures[name] += 1
                if (count := self.failures[name]) == 1 or count % LOG_EACH == 0:
                    log.exception("a sink failed", sink=name, failures=count)
