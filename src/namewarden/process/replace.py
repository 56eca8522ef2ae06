"""A reload under way: checked in a process of its own, then one child after the other; where one cannot take it,
all go back. Counterparts: `supervise.py` says when, `slot.py` what becomes of each child, `reload.py` what is right.
"""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from namewarden.process.fork import forked
from namewarden.process.slot import Child, Slot


@dataclass(frozen=True)
class Reload:
    """How other children come into force."""

    check: Callable[[], int]  # in a process of its own: 0 = right
    take: Callable[[], Sequence[Child]]  # the new children, one for each; none = all stays
    done: Callable[[], None]  # all have taken it
    undone: Callable[[], None] = lambda: None  # one could not: all are as they were
    late: Callable[[], None] = lambda: None  # the check was killed before it was through, all stays
    title: Sequence[str] = ("namewarden", "config", "check")
    patience: float = 60.0  # seconds for the check


class Replacer:
    """At most one reload at a time: `tick()` at every turn."""

    def __init__(self, reload: Reload, slots: Sequence[Slot]) -> None:
        self._reload = reload
        self._slots = slots
        self._is_wanted = False
        self._checking = 0  # the process that checks what shall be taken
        self._check_by = 0.0
        self._steps: list[tuple[Slot, Child]] = []  # the first of them is under way
        self._before: list[tuple[Slot, Child]] = []  # the way back
        self._is_going_back = False

    def want(self) -> None:
        """Another reload, after the one that is under way."""
        self._is_wanted = True

    def tick(self, now: float) -> None:
        if self._steps:
            self._step(now)
        elif self._checking:
            self._look(now)
        elif self._is_wanted:
            self._is_wanted = False
            try:
                self._checking = forked(self._check, self._reload.title, set())
                self._check_by = now + self._reload.patience
            except OSError:  # no room for a process: at the next turn
                self._is_wanted = True

    def _check(self) -> int:
        """In its own process, which ends in time though the supervisor may be gone."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, self._reload.patience)
        return self._reload.check()

    def end(self) -> None:
        """No check is left behind."""
        if self._checking:
            os.kill(self._checking, signal.SIGKILL)
            os.waitpid(self._checking, 0)
            self._checking = 0

    def _look(self, now: float) -> None:
        pid, status = os.waitpid(self._checking, os.WNOHANG)
        if pid:
            self._checking = 0
            if os.WIFSIGNALED(status):
                self._reload.late()
            elif status == 0 and (children := self._reload.take()):
                self._begin(children, now)
        elif now > self._check_by:
            self.end()
            self._reload.late()

    def _begin(self, children: Sequence[Child], now: float) -> None:
        """The last first: resolvers stand by beside those that serve, and where one cannot, little was touched."""
        self._steps = list(zip(self._slots, children, strict=True))[::-1]
        self._before = [(slot, slot.child) for slot, _ in self._steps]
        self._is_going_back = False
        self._steps[0][0].replace(self._steps[0][1], now)

    def _step(self, now: float) -> None:
        slot, child = self._steps[0]
        has_failed = not slot.is_of(child)
        # Who never served may wait for what only another one's new settings bring.
        if not has_failed and slot.was_ready and not slot.is_settled:
            return
        del self._steps[0]
        if has_failed and not self._is_going_back:
            self._go_back()
        if self._steps:
            self._steps[0][0].replace(self._steps[0][1], now)
        elif self._is_going_back:
            self._reload.undone()
        else:
            self._reload.done()

    def _go_back(self) -> None:
        """Those that have taken it, the newest first; the one that could not is back already."""
        taken = len(self._before) - len(self._steps) - 1
        self._steps = self._before[:taken][::-1]
        self._is_going_back = True
