"""Where a source lays down what happened: one append, bounded, never waiting. Its counterpart is `sender.py`.

The log never slows DNS: when the queue is full an event is dropped and counted, and the next batch says how many.
"""

import secrets
from collections import deque

from namewarden.query import Event


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
        self._events: deque[Event] = deque()
        self._room = capacity  # less what the sender holds unacknowledged

    def record(self, event: Event) -> None:
        """Keep the event, or count it as dropped. `count` above 1 folds identical repeats of one second."""
        if len(self._events) < self._room:
            self._events.append(event)
        else:
            self.dropped_events += 1
            self.dropped_queries += event.count

    @property
    def waiting(self) -> int:
        """Events not yet handed over."""
        return len(self._events)

    @property
    def held(self) -> int:
        """Events not yet acknowledged."""
        return len(self._events) + self.capacity - self._room

    def take(self, limit: int) -> list[Event]:
        """The oldest events, at most `limit`. They count against the capacity until `settle()`."""
        oldest = self._events.popleft
        events = [oldest() for _ in range(min(limit, len(self._events)))]
        self.recorded += len(events)
        self._room -= len(events)
        return events

    def settle(self) -> None:
        """What was taken is stored, or given up."""
        self._room = self.capacity
