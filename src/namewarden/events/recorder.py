"""Where a source lays down what happened: one append, bounded, never waiting. Its counterpart is `sender.py`.

The log never slows DNS: when the queue is full an event is dropped and counted, and the next batch says how many.
"""

import secrets
from collections import deque

from namewarden.events.rows import Rows
from namewarden.query import Event

Recorded = Event | Rows
ROWS_AS_QUICK = 8  # so many rows are written in the time of one event


class Recorder:
    """The queue of one source in one process. Ids are given by order: event `n` of run `r` is `r-n`."""

    def __init__(self, source: str, capacity: int, worker: int = 0, run: str = "") -> None:
        self.source = source
        self.worker = worker
        self.run = run or secrets.token_hex(8)
        self.capacity = capacity
        self.recorded = 0  # events handed over so far: the number of the next batch's first
        self.dropped_events = 0  # since the start
        self.dropped_queries = 0
        self._kept: deque[Recorded] = deque()
        self._waiting = 0  # events in it
        self._room = capacity  # less what the sender holds unacknowledged

    def record(self, event: Event) -> None:
        """Keep the event, or count it as dropped. `count` above 1 folds identical repeats of one second."""
        if self._waiting < self._room:
            self._kept.append(event)
            self._waiting += 1
        else:
            self.dropped_events += 1
            self.dropped_queries += event.count

    def record_rows(self, rows: Rows) -> None:
        """As many events; what does not fit whole is dropped."""
        count = len(rows)
        if self._waiting + count <= self._room:
            self._kept.append(rows)
            self._waiting += count
        else:
            self.dropped_events += count
            self.dropped_queries += rows.queries

    @property
    def waiting(self) -> int:
        """Events not yet handed over."""
        return self._waiting

    @property
    def held(self) -> int:
        """Events not yet acknowledged."""
        return self._waiting + self.capacity - self._room

    def take(self, limit: int) -> list[Recorded]:
        """The oldest, as much as `limit` events are to write. They count against the capacity until `settle()`."""
        kept, count, work = self._kept, 0, 0.0
        taken: list[Recorded] = []
        while kept and work < limit:
            taken.append(one := kept.popleft())
            rows = 1 if isinstance(one, Event) else len(one)
            count += rows
            work += 1 if isinstance(one, Event) else rows / ROWS_AS_QUICK
        self.recorded += count
        self._waiting -= count
        self._room -= count
        return taken

    def settle(self) -> None:
        """What was taken is stored, or given up."""
        self._room = self.capacity
