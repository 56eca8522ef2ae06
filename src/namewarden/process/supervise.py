"""Starts, restarts and ends the children, and hands them the sockets (`sockets.py` binds them).

The sockets belong to the supervisor, so a query that arrives while a resolver is being restarted waits in the
socket's buffer. Children learn of the supervisor's death by a pipe that only it keeps open, so nobody is left
behind, whatever kills it. Counterpart: `app.py` says which children there are, `Channel` is the child's end.
"""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FILES = 65_536
GRACE = 5.0  # seconds a child has to end by itself
PROGRAM = (sys.executable, "-m", "namewarden")
HEALTHY = 10.0  # seconds alive after which the next restart is immediate again
DELAYS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before the n-th restart in a row


@dataclass(frozen=True)
class Child:
    """One process to keep alive: the program with `args`, and its sockets by name."""

    name: str
    args: Sequence[str]
    sockets: dict[str, list[int]] = field(default_factory=dict)  # listener → file descriptors
    has_spare: bool = (
        False  # another one stands by, all but its listeners open, and takes over at once
    )
    gives_way: bool = False  # where processes share a core, it waits while the others work


@dataclass(frozen=True)
class Channel:
    """What a child knows of its supervisor: its sockets, and three pipes."""

    sockets: dict[str, list[int]]
    life: int  # ends with the supervisor
    ready: int  # to say that the listeners are open
    go: int  # ends when the listeners shall be opened

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Channel":
        return cls(**json.loads(text))

    async def begun(self) -> None:
        """Until it is this one's turn."""
        turn = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.go, turn.set)
        try:
            await turn.wait()
        finally:
            loop.remove_reader(self.go)

    def is_ready(self) -> None:
        """Tell the supervisor, once."""
        with contextlib.suppress(OSError):
            os.write(self.ready, b"1")
            os.close(self.ready)

    def watch(self, ended: Callable[[], None]) -> None:
        """Call `ended` in the running loop when the supervisor is gone."""
        asyncio.get_running_loop().add_reader(self.life, ended)


class Supervisor:
    """Keeps children alive until it is told to end, then ends them in reverse order."""

    def __init__(
        self,
        children: Sequence[Child],
        notify: Callable[[str], None],
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._children = children
        self._program = program
        self._notify = notify
        self._life_child, self._life = os.pipe()
        self._running: list[Started] = []
        self._ending = asyncio.Event()
        self._refused = ""

    async def run(self, all_ready: Callable[[], None]) -> str:
        """Start all, call `all_ready` when every child has said so, end all when told to.

        Returns "", or the name of the child that refused to start (exit status 1 before it was ever ready).
        """
        os.set_inheritable(self._life_child, True)
        _allow_files()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ending.set)
        ready = [asyncio.Event() for _ in self._children]
        async with asyncio.TaskGroup() as group:
            keeping = [
                group.create_task(self._keep(child, event))
                for child, event in zip(self._children, ready, strict=True)
            ]
            announcer = group.create_task(self._announce(ready, all_ready))
            await self._ending.wait()
            announcer.cancel()
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
            await self._end_all()
        return self._refused

    async def _announce(self, ready: list[asyncio.Event], all_ready: Callable[[], None]) -> None:
        for event in ready:
            await event.wait()
        all_ready()

    async def _keep(self, child: Child, ready: asyncio.Event) -> None:
        failures = 0
        spare: Started | None = None
        while True:
            began = time.monotonic()
            running, spare = spare or await self._start(child, ready), None
            running.begin()
            if child.has_spare:
                await first_of(ready.wait(), running.process.wait())
                spare = await self._start(child, ready)
            status = await running.process.wait()
            self._running.remove(running)
            if status == 1 and not ready.is_set():
                # It said why. It would say so for ever.
                self._refused = child.name
                self._ending.set()
                return
            if spare and spare.process.returncode is not None:  # it died while it stood by
                spare.begin()
                self._running.remove(spare)
                spare = None
            failures = 0 if time.monotonic() - began > HEALTHY else failures + 1
            delay = 0.0 if spare else DELAYS[min(max(failures - 1, 0), len(DELAYS) - 1)]
            what = "its spare takes over" if spare else f"starting it again in {delay:g} s"
            self._notify(f"{child.name} ended ({_describe(status)}), {what}")
            await asyncio.sleep(delay)

    async def _start(self, child: Child, ready: asyncio.Event) -> "Started":
        ready_end, ready_pipe = os.pipe()
        go_pipe, go = os.pipe()
        channel = Channel(child.sockets, self._life_child, ready_pipe, go_pipe)
        fds = [fd for group in child.sockets.values() for fd in group]
        # Ctrl-C at a terminal reaches the whole group; ending the children is for us alone. They are born with it
        # blocked: a handler of their own would come too late for the first tenths of a second.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program, *child.args, "--channel", channel.to_text(),
                pass_fds=[*fds, self._life_child, ready_pipe, go_pipe],
                stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        finally:
            # Not back to a mask of before: several children may be on their way at once.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        os.close(ready_pipe)
        os.close(go_pipe)
        if child.gives_way:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(
                    os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + 10
                )
        started = Started(process, go)
        self._running.append(started)
        asyncio.get_running_loop().add_reader(ready_end, _take_ready, ready_end, ready)
        return started

    async def _end_all(self) -> None:
        for started in reversed(self._running):
            started.begin()
            await _end(started.process)


class Started:
    """A child's process; it opens its listeners when it is told to begin."""

    def __init__(self, process: asyncio.subprocess.Process, go: int) -> None:
        self.process = process
        self._go = go

    def begin(self) -> None:
        if self._go >= 0:
            os.close(self._go)
            self._go = -1


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _allow_files() -> None:
    """As many open files as this user may have: connections and upstream ports exceed the usual 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _take_ready(receiving: int, ready: asyncio.Event) -> None:
    asyncio.get_running_loop().remove_reader(receiving)
    if os.read(receiving, 1):
        ready.set()
    os.close(receiving)


async def _end(process: asyncio.subprocess.Process) -> None:
    """TERM, then KILL after the grace."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), GRACE)
    except TimeoutError:
        process.kill()
        await process.wait()


def _describe(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
