"""One timer for many deadlines: what is due within the same `STEP` is looked at together, so each costs a list entry.

Counterpart: `upstream_udp.py`, whose questions nearly all are answered long before theirs.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, TypeVar

import structlog

STEP = 0.02  # seconds by which a deadline may be late
Item = TypeVar("Item")

log = structlog.get_logger("deadlines")


class Deadlines(Generic[Item]):
    """`due` is called with each item when its time has come; whether it still matters is for `due` to see."""

    def __init__(self, loop: AbstractEventLoop, due: Callable[[Item], None]) -> None:
        self.faults = 0  # items lost to a bug in `due`
        self._loop = loop
        self._due = due
        self._items: dict[int, list[Item]] = {}  # by the step that they are due at
        self._steps: list[int] = []  # those, a heap
        self._timer: TimerHandle | None = None

    def add(self, item: Item, seconds: float) -> None:
        step = int((self._loop.time() + seconds) / STEP) + 1
        items = self._items.get(step)
        if items is not None:
            items.append(item)
            return
        self._items[step] = [item]
        heappush(self._steps, step)
        if self._steps[0] == step:
            self._wait()

    def stop(self) -> None:
        """Forget them all."""
        self._items.clear()
        self._steps.clear()
        self._wait()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._steps[0] * STEP, self._tick) if self._steps else None

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time() / STEP
        while self._steps and self._steps[0] <= now:
            for item in self._items.pop(heappop(self._steps)):
                self._call(item)
        self._wait()

    def _call(self, item: Item) -> None:
        """What fails there is one item's loss: the others, and the timer, go on."""
        try:
            self._due(item)
        except Exception:
            self.faults += 1
            log.exception("fault")
