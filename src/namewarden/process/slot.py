"""What becomes of one child: when it is started, replaced, ended. The rules; `supervise.py` has the loop.

`now` is the supervisor's waking time: a machine that slept has heard nobody, and nobody is to blame.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from namewarden.process.channel import ALIVE, READY, Channel

SILENCE = 10.0  # seconds without a sign of life after which a loaded child is replaced
LOADING = 120.0  # the same for one that still loads
GRACE = 5.0  # seconds a child has to end by itself
HANDOVER = 20.0  # the same for one that was replaced: it answers what it has begun
HEALTHY = 10.0  # seconds alive after which the next restart is immediate again
DELAYS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before the n-th restart in a row
FOREVER = float("inf")


@dataclass(frozen=True)
class Child:
    """One process to keep alive: what it runs, and its sockets by name."""

    name: str
    main: Callable[[Channel], int]  # until it ends; the exit status
    sockets: dict[str, list[int]] = field(default_factory=dict)  # listener → file descriptors
    title: Sequence[str] = ()  # what `ps` shows
    load: Callable[[], None] = lambda: None  # in the supervisor, before the first fork: is shared
    has_spare: bool = False  # another one stands by, all but its listeners open, and takes over
    gives_way: bool = False  # where processes share a core, it waits while the others work


class Process:
    """One running child."""

    def __init__(self, pid: int, news: int, go: int, now: float, silence: float) -> None:
        self.pid = pid
        self.news = news  # what it tells; not blocking
        self.born = now
        self.is_loaded = False
        self.is_ready = False
        self._go = go
        self._kill_at = FOREVER
        self._is_killed = False
        self._heard = now
        self._silence = silence

    def begin(self) -> None:
        """It may open its listeners."""
        if self._go >= 0:
            os.close(self._go)
            self._go = -1

    def hear(self, now: float) -> None:
        with contextlib.suppress(BlockingIOError):
            if news := os.read(self.news, 4096):
                self._heard = now
                self.is_loaded |= news.strip(ALIVE) != b""
                self.is_ready |= READY in news

    def is_silent(self, now: float) -> bool:
        return not self._is_killed and now - self._heard > (
            self._silence if self.is_loaded else LOADING
        )

    def is_late(self, now: float) -> bool:
        """It was told to end, and did not."""
        return not self._is_killed and now > self._kill_at

    def end(self, now: float, grace: float = GRACE) -> None:
        """It has its grace; one that stands by comes out of its wait."""
        self.begin()
        self._kill_at = min(self._kill_at, now + grace)
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._is_killed = True
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close(self) -> None:
        self.begin()
        os.close(self.news)


class Slot:
    """The place of one child: who serves, who stands by, who was replaced. `tick()` whenever something happened,
    `ended()` when one of its processes has."""

    def __init__(
        self, child: Child, start: Callable[[Child, float], Process], notify: Callable[[str], None]
    ) -> None:
        self.child = child  # what serves, or shall
        self._start = start
        self._notify = notify
        self._serving: Process | None = None
        self._spare: Process | None = None
        self._retired: list[Process] = []  # told to end, replaced
        self._next: Child | None = None  # the spare is one of these, and serves when it is ready
        self._before: Child | None = None  # until the one that replaced it was ready
        self._ready_by = FOREVER  # the one that replaces
        self._failures = 0
        self._due = 0.0  # when the next one may be started
        self.was_ready = False
        self.refused = ""  # its name: it ended with status 1 before it was ever ready, and would do so for ever

    def processes(self) -> list[Process]:
        """Newest first: so they are ended."""
        return [each for each in (self._spare, self._serving, *self._retired) if each]

    @property
    def is_settled(self) -> bool:
        """Nothing is being replaced, and somebody serves."""
        return self._next is None and self._serving is not None and self._serving.is_ready

    def is_of(self, child: Child) -> bool:
        """It was told to be this one, and has not gone back to the one before."""
        return child is self.child or child is self._next

    def replace(self, child: Child, now: float) -> None:
        """From now on it is this one; the one before stays, or comes back, where this one never gets ready.
        Where there are spares, one of the new kind gets ready, then the old ends; else the old ends first."""
        if self.was_ready:
            self._before, self._ready_by = self.child, now + LOADING
        if child.has_spare and self._serving and self.was_ready:
            if self._spare:
                self._retire(self._spare, now)
            self._next, self._spare = child, self._started(child, now)
            return
        self.child = child
        if self._serving:
            self._retire(self._serving, now)
            self._serving = None

    def _retire(self, process: Process, now: float) -> None:
        process.end(now, HANDOVER)
        self._retired.append(process)

    def _take_over(self, now: float) -> None:
        """Both serve for a moment: the sockets are the same."""
        if self._next and self._spare and self._spare.is_loaded:
            self._spare.begin()
            if not self._spare.is_ready:
                return
            if self._serving:
                self._retire(self._serving, now)
            self.child, self._next = self._next, None
            self._serving, self._spare = self._spare, None

    def tick(self, now: float) -> None:
        """Hear them, kill who is silent, start who is missing."""
        for process in self.processes():
            self._watch(process, now)
        self._take_over(now)
        if self._before and now > self._ready_by:
            self._kill_the_new()
        # One that was replaced may hold what there is only once, such as the event log's files.
        if self._serving is None and not self._retired and now >= self._due:
            self._serving = self._started(self.child, now)
            if self._serving:
                self._serving.begin()
        if self._serving and self._serving.is_ready:
            self.was_ready = True
            if self._next is None:
                self._before = None
            if self.child.has_spare and self._spare is None and now >= self._due:
                self._spare = self._started(self._next or self.child, now)

    def _kill_the_new(self) -> None:
        """`ended` goes back."""
        new = self._spare if self._next else self._serving
        if new and not new.is_ready:
            new.kill()

    def _started(self, child: Child, now: float) -> Process | None:
        """None where the system has no room for one more, now."""
        try:
            return self._start(child, now)
        except OSError as error:  # `tick` tries again
            self._due = now + DELAYS[-1]
            again = f"tried again in {DELAYS[-1]:g} s"
            self._notify(f"{child.name} cannot be started ({error.strerror}), {again}")
            return None

    def due_in(self, now: float) -> float:
        """Seconds until `tick` has something to start."""
        return self._due - now if self._due > now else FOREVER

    def _watch(self, process: Process, now: float) -> None:
        process.hear(now)
        if process.is_silent(now):
            self._notify(f"{self._called(process)} gives no sign of life, it is killed")
            process.kill()
        elif process.is_late(now):
            process.kill()

    def ended(self, process: Process, status: int, now: float) -> None:
        if process in self._retired:
            self._retired.remove(process)
            return
        said = f"{self._called(process)} ended ({describe(status)})"
        self._failures = 0 if now - process.born > HEALTHY else self._failures + 1
        if self._is_new(process):
            self._go_back(said, now)
            return
        if process is self._serving:
            self.child, self._next = self._next or self.child, None
            self._serving, self._spare = self._spare, None
            if status == 1 and not self.was_ready:  # it said why
                self.refused = self.child.name
                return
            if self._serving:
                self._serving.begin()
                self._notify(f"{said}, its spare takes over")
                return
        else:
            self._spare = None
        delay = DELAYS[min(max(self._failures - 1, 0), len(DELAYS) - 1)]
        self._due = now + delay
        self._notify(f"{said}, starting it again {_soon(delay)}")

    def _is_new(self, process: Process) -> bool:
        """One that replaces and was not ready yet."""
        if self._next:
            return process is self._spare
        return self._before is not None and process is self._serving and not process.is_ready

    def _go_back(self, said: str, now: float) -> None:
        if self._next:
            self._next = self._spare = None
        else:
            self.child, self._serving = self._before or self.child, None
        self._before, self._due = None, now
        self._notify(f"{said}: {self.child.name} stays as it was")

    def _called(self, process: Process) -> str:
        return f"the spare of {self.child.name}" if process is self._spare else self.child.name


def describe(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _soon(delay: float) -> str:
    return f"in {delay:g} s" if delay else "at once"
