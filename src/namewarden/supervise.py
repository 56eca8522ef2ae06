"""Starts, restarts and ends the children, and hands them the sockets (`sockets.py` binds them).

The sockets belong to the supervisor, so a query that arrives while a resolver is being restarted waits in the
socket's buffer. Children learn of the supervisor's death by a pipe that only it keeps open, so nobody is left
behind, whatever kills it. Counterpart: `app.py` says which children there are, `Link` is the child's end.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

GRACE = 5.0  # seconds a child has to end by itself
PROGRAM = (sys.executable, "-m", "namewarden")
HEALTHY = 10.0  # seconds alive after which the next restart is immediate again
DELAYS = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before the n-th restart in a row


@dataclass(frozen=True)
class Child:
    """One process to keep alive: the program with `args`, and its sockets by name."""

    name: str
    args: Sequence[str]
    sockets: dict[str, list[int]] = field(default_factory=dict)  # door → file descriptors


@dataclass(frozen=True)
class Link:
    """What a child knows of its supervisor: its sockets, the pipe that ends with it, the pipe to be ready on."""

    sockets: dict[str, list[int]]
    life: int
    ready: int

    def to_text(self) -> str:
        return json.dumps({"sockets": self.sockets, "life": self.life, "ready": self.ready})

    @classmethod
    def from_text(cls, text: str) -> "Link":
        said = json.loads(text)
        return cls(said["sockets"], said["life"], said["ready"])

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
        say: Callable[[str], None],
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self._children = children
        self._program = program
        self._say = say
        self._life_child, self._life = os.pipe()
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._ending = asyncio.Event()
        self._refused = ""

    async def run(self, all_ready: Callable[[], None]) -> str:
        """Start all, call `all_ready` when every child has said so, end all when told to.

        Returns "", or the name of the child that refused to start (exit status 1 before it was ever ready).
        """
        os.set_inheritable(self._life_child, True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ending.set)
        ready = [asyncio.Event() for _ in self._children]
        async with asyncio.TaskGroup() as group:
            keepers = [
                group.create_task(self._keep(child, event))
                for child, event in zip(self._children, ready, strict=True)
            ]
            announcer = group.create_task(self._announce(ready, all_ready))
            await self._ending.wait()
            announcer.cancel()
            for keeper in keepers:
                keeper.cancel()
            await self._end_all()
        return self._refused

    async def _announce(self, ready: list[asyncio.Event], all_ready: Callable[[], None]) -> None:
        for event in ready:
            await event.wait()
        all_ready()

    async def _keep(self, child: Child, ready: asyncio.Event) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            process = await self._start(child, ready)
            status = await process.wait()
            self._running.pop(child.name, None)
            if status == 1 and not ready.is_set():
                # It said why. It would say so for ever.
                self._refused = child.name
                self._ending.set()
                return
            failures = 0 if time.monotonic() - started > HEALTHY else failures + 1
            delay = DELAYS[min(max(failures - 1, 0), len(DELAYS) - 1)]
            self._say(f"{child.name} ended ({_describe(status)}), starting it again in {delay:g} s")
            await asyncio.sleep(delay)

    async def _start(self, child: Child, ready: asyncio.Event) -> asyncio.subprocess.Process:
        receiving, sending = os.pipe()
        link = Link(child.sockets, self._life_child, sending)
        fds = [fd for group in child.sockets.values() for fd in group]
        process = await asyncio.create_subprocess_exec(
            *self._program, *child.args, "--link", link.to_text(),
            pass_fds=[*fds, self._life_child, sending], stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        os.close(sending)
        self._running[child.name] = process
        asyncio.get_running_loop().add_reader(receiving, _take_ready, receiving, ready)
        return process

    async def _end_all(self) -> None:
        for process in reversed(list(self._running.values())):
            await _end(process)


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
