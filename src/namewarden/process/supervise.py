"""Forks, watches and ends the children, and hands them the sockets (`sockets.py` binds them).

The sockets belong to the supervisor, so a query that arrives while a resolver is being restarted waits in the
socket's buffer. Children learn of the supervisor's death by a pipe that only it keeps open, so nobody is left
behind, whatever kills it. Counterparts: `app.py` says which children there are, `slot.py` what becomes of each,
`replace.py` how others take their place.
"""

import contextlib
import gc
import os
import resource
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from namewarden.process.channel import Channel
from namewarden.process.fork import forked
from namewarden.process.replace import Reload, Replacer
from namewarden.process.slot import SILENCE, Child, Process, Slot

FILES = 65_536
TICK = 1.0  # seconds between looks when nothing happens


class Supervisor:
    """Keeps children alive until it is told to end, then ends them in reverse order."""

    def __init__(
        self,
        children: Sequence[Child],
        notify: Callable[[str], None],
        reload: Reload | None = None,  # what SIGHUP does
        silence: float = SILENCE,  # seconds without a sign of life after which a child is replaced
    ) -> None:
        self._slots = [Slot(child, self._start, notify) for child in children]
        self._replacer = Replacer(reload, self._slots) if reload else None
        self._silence = silence
        self._loaded: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._life_child, self._life = os.pipe()
        self._awake = Awake()
        self._is_ending = False

    def run(self, all_ready: Callable[[], None]) -> str:
        """Start all, call `all_ready` when every child has said so, end all when told to.

        Returns "", or the name of the child that refused to start (exit status 1 before it was ever ready).
        """
        _allow_files()
        announced = False
        with self._told_by_signals():
            while not self._is_ending:
                self._turn()
                if not announced and all(slot.was_ready for slot in self._slots):
                    announced = True
                    all_ready()
            self._end_all()
        return next((slot.refused for slot in self._slots if slot.refused), "")

    def _turn(self) -> None:
        now = self._awake.now()
        for slot in self._slots:
            slot.tick(now)
        if self._replacer:
            self._replacer.tick(now)
        self._wait(min(slot.due_in(now) for slot in self._slots))
        for slot in self._slots:
            for process in slot.processes():
                if (status := self._status(process)) is not None:
                    slot.ended(process, status, self._awake.now())
            self._is_ending |= bool(slot.refused)

    def _wait(self, seconds: float = TICK) -> None:
        """Until a child tells something or ends, we are told to, or it is time to look."""
        for key, _ in self._selector.select(min(seconds, TICK)):
            if key.data is None:
                os.read(key.fd, 4096)

    def _status(self, process: Process) -> int | None:
        """How it ended; None while it runs."""
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if not pid:
            return None
        process.hear(self._awake.now())  # what it told before its end
        self._selector.unregister(process.news)
        process.close()
        return os.waitstatus_to_exitcode(status)

    def _start(self, child: Child, now: float) -> Process:
        if child.name not in self._loaded:
            self._loaded.add(child.name)
            child.load()
            gc.freeze()  # what children share is not touched by their collections
        news, news_child = os.pipe()
        go_child, go = os.pipe()
        os.set_blocking(news, False)
        os.set_blocking(news_child, False)
        channel = Channel(child.sockets, self._life_child, news_child, go_child, self._silence / 4)

        def main() -> int:
            if child.gives_way:
                os.nice(10)
            return child.main(channel)

        try:
            pid = forked(main, child.title, channel.descriptors())
        except OSError:
            os.close(news)
            os.close(go)
            raise
        finally:
            os.close(news_child)
            os.close(go_child)
        self._selector.register(news, selectors.EVENT_READ, pid)
        return Process(pid, news, go, now, self._silence)

    def _end_all(self) -> None:
        """One after the other, the newest first."""
        if self._replacer:
            self._replacer.end()
        for process in [each for slot in reversed(self._slots) for each in slot.processes()]:
            process.end(self._awake.now())
            while self._status(process) is None:
                self._wait()
                if process.is_late(self._awake.now()):
                    process.kill()

    @contextlib.contextmanager
    def _told_by_signals(self) -> Iterator[None]:
        """Signals wake the loop by a pipe, so that none comes between a look and a wait."""
        woken, waking = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(waking, False)
        self._selector.register(woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(
            signal.SIGHUP, partial(self._hang_up, [fd for fd in (0, 1, 2) if os.isatty(fd)])
        )
        signal.signal(signal.SIGCHLD, lambda *_: None)
        yield

    def _end(self, *_: object) -> None:
        self._is_ending = True

    def _hang_up(self, terminals: list[int], *_: object) -> None:
        """A terminal that is gone has hung up, and what runs on it ends; else somebody wants a reload."""
        if self._replacer is None or not all(os.isatty(fd) for fd in terminals):
            self._is_ending = True
        else:
            self._replacer.want()


class Awake:
    """Monotonic time without the gaps in which the machine, or this process, was stopped."""

    def __init__(self) -> None:
        self._seen = time.monotonic()
        self._sum = 0.0

    def now(self) -> float:
        seen = time.monotonic()
        self._sum += min(seen - self._seen, 2 * TICK)
        self._seen = seen
        return self._sum


def _allow_files() -> None:
    """As many open files as this user may have: connections and upstream ports exceed the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
