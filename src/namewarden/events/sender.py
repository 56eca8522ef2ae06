"""Carries a recorder's events to the hub in batches, at least once; the hub stores each batch once (`log.py`).

HTTP on the hub's Unix socket, one connection kept. While the hub is away the batch is held and tried again;
the recorder's bound holds for what is held here too.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec import Struct

from namewarden.events.batch import Batch, Columns, to_wire
from namewarden.events.recorder import Recorder
from namewarden.query import UpstreamState

log = structlog.get_logger("sender")
PATH = "/api/v1/events"
# Events turned into columns between two looks at the loop: about 0.3 ms, caches being cold.
SLICE = 64
# A batch ends behind the slice that reaches so many octets of text: the hub takes 32 MiB, and names can be
# made long on purpose.
SIZE = 8 * 1024 * 1024
RETRY_FIRST, RETRY_MOST = 0.1, 2.0
ANSWER_MOST = 64 * 1024
# Said again is refused again: the batch is given up. Everything else (401 while tokens are
# being changed, 429, 5xx, nobody there) is tried again.
FINAL = frozenset({400, 413, 415, 422})


class Pace(Struct, frozen=True):
    """How often and how much."""

    rows: int = 32_768  # a batch at most; the store's cost per row falls up to here
    flush: float = 0.7  # seconds between batches
    heartbeat: float = 5.0  # seconds after which a batch goes out though nothing happened
    patience: float = 10.0  # seconds a busy resolver may keep events back
    timeout: float = 30.0  # seconds the hub may take for one batch


class Vitals(Struct, frozen=True):
    """How a source does, told with every batch: numbers that rise, levels, the upstreams it asks."""

    counters: dict[str, int] = {}
    gauges: dict[str, float] = {}
    upstreams: list[UpstreamState] = []


class Refused(Exception):
    """The hub answered, and not with 200."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status


def _idle() -> bool:
    return False


class Sender:
    """`run()` until `stop()`. `busy` may hold batches back while the queue is below half its capacity."""

    def __init__(
        self,
        recorder: Recorder,
        socket_path: Path,
        pace: Pace | None = None,
        busy: Callable[[], bool] = _idle,
        vitals: Callable[[], Vitals] = Vitals,
    ) -> None:
        self.recorder = recorder
        self.sent_events = 0
        self.sent_queries = 0
        self.rejected_events = 0  # the hub said they are no batch
        self.problem = ""  # why the last attempt failed; "" = it did not
        self._path = socket_path
        self._pace = pace or Pace()
        self._busy = busy
        self._vitals = vitals
        self._sequence = 0
        self._dropped = (0, 0)  # as the hub knows it
        self._stopping = asyncio.Event()
        self._deadline = float("inf")
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def stop(self, grace: float = 2.0) -> None:
        """Send what is there within `grace` seconds, say that it was the last, and end `run()`."""
        self._deadline = time.monotonic() + grace
        self._stopping.set()

    async def run(self) -> None:
        sent = time.monotonic() - self._pace.flush
        try:
            while not self._stopping.is_set():
                await self._pause(sent)
                await self._batch()
                sent = time.monotonic()
            while self.recorder.waiting and time.monotonic() < self._deadline:
                await self._batch()
        finally:
            self._hang_up()

    async def _pause(self, sent: float) -> None:
        """Until a batch is due: by time, by number, by half the queue when the resolver is busy, or to be heard."""
        step, pace = min(self._pace.flush, 0.1), self._pace
        while not self._stopping.is_set():
            age, waiting = time.monotonic() - sent, self.recorder.waiting
            if waiting * 2 >= self.recorder.capacity or age >= pace.heartbeat + pace.patience:
                return
            ripe = waiting >= pace.rows or age >= (pace.flush if waiting else pace.heartbeat)
            if ripe and (age >= pace.patience or not self._busy()):
                return
            await self._sleep(step)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            pass

    async def _batch(self) -> None:
        first = self.recorder.recorded
        columns = Columns()
        try:
            await self._fill(columns)
        except Exception:  # a bug: these events are lost and counted, never the process with them
            log.exception("events cannot be written", events=self.recorder.recorded - first)
            self.rejected_events += self.recorder.recorded - first
            self.recorder.settle()
            return
        rows = columns.rows
        told = self.recorder.dropped_events, self.recorder.dropped_queries
        if await self._deliver(to_wire(self._message(columns, first))):
            self._dropped = told
            self.sent_events += rows
            self.sent_queries += columns.queries
        else:
            self.rejected_events += rows
        self.recorder.settle()

    async def _fill(self, columns: Columns) -> None:
        while columns.rows < self._pace.rows and columns.size < SIZE:
            taken = self.recorder.take(min(SLICE, self._pace.rows - columns.rows))
            if not taken:
                break
            columns.add(taken)
            await asyncio.sleep(0)

    def _message(self, columns: Columns, first: int) -> Batch:
        recorder, (events, queries), vitals = self.recorder, self._dropped, self._vitals()
        self._sequence += 1
        return Batch(
            recorder.run,
            self._sequence,
            recorder.source,
            recorder.worker,
            first,
            columns.rows,
            *columns.finish(),
            dropped_events=recorder.dropped_events - events,
            dropped_queries=recorder.dropped_queries - queries,
            counters={
                **vitals.counters,
                "events_dropped": recorder.dropped_events,
                "events_rejected": self.rejected_events,
            },
            gauges={**vitals.gauges, "events_waiting": float(recorder.waiting)},
            upstreams=vitals.upstreams,
            last=self._stopping.is_set() and not recorder.waiting,
        )

    async def _deliver(self, body: bytes) -> bool:
        """Try until the hub has it (True), has refused it for good, or the time after `stop()` is over."""
        wait = RETRY_FIRST
        while True:
            try:
                await asyncio.wait_for(self._post(body), self._pace.timeout)
                self.problem = ""
                return True
            except (OSError, EOFError, ValueError, Refused) as problem:
                self._hang_up()
                self.problem = f"{type(problem).__name__}: {problem}"
                if isinstance(problem, Refused) and problem.status in FINAL:
                    return False
            if self._stopping.is_set() and time.monotonic() + wait > self._deadline:
                return False
            await (asyncio.sleep if self._stopping.is_set() else self._sleep)(wait)
            wait = min(wait * 2, RETRY_MOST)

    async def _post(self, body: bytes) -> None:
        if self._connection is None:
            self._connection = await asyncio.open_unix_connection(
                str(self._path), limit=ANSWER_MOST
            )
        reader, writer = self._connection
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/msgpack\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        status, text = await _read_answer(reader)
        if status != 200:
            raise Refused(status, text)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Status and the reason in words. The hub always sends Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
    size = int(fields.get("content-length", "0"))
    if size > ANSWER_MOST:
        raise ValueError(f"an answer of {size} bytes")
    body = await reader.readexactly(size)
    return status, _detail(body) if status != 200 else ""


def _detail(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])[:200]
    except (ValueError, KeyError, TypeError):
        return ""
