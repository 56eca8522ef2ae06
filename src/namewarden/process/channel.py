"""The child's end of what joins it to the supervisor: its sockets, and three pipes. Counterpart: `slot.py`."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

ALIVE, LOADED, READY = b".", b"l", b"r"


@dataclass(frozen=True)
class Channel:
    """What a child knows of its supervisor."""

    sockets: dict[str, list[int]]  # listener → file descriptors
    life: int  # ends with the supervisor
    news: int  # to say that it lives, that it has loaded all, that its listeners are open; does not block
    go: int  # ends when the listeners shall be opened
    beat: float = 2.5  # seconds between signs of life

    def descriptors(self) -> set[int]:
        return {self.life, self.news, self.go, *(fd for fds in self.sockets.values() for fd in fds)}

    async def begun(self) -> None:
        """Until it is this one's turn."""
        turn = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self.go, turn.set)
        try:
            await turn.wait()
        finally:
            loop.remove_reader(self.go)

    def is_loaded(self) -> None:
        """From now on ten seconds without a sign of life are a fault."""
        self._tell(LOADED)

    def is_ready(self) -> None:
        """Loaded, and the listeners are open."""
        self._tell(READY)

    def watch(self, ended: Callable[[], None]) -> None:
        """In the running loop: call `ended` when the supervisor is gone, and show that the loop turns."""
        asyncio.get_running_loop().add_reader(self.life, ended)
        self._beat()

    def _beat(self) -> None:
        self._tell(ALIVE)
        asyncio.get_running_loop().call_later(self.beat, self._beat)

    def _tell(self, news: bytes) -> None:
        with contextlib.suppress(
            OSError
        ):  # a supervisor that is gone, or that was stopped for long
            os.write(self.news, news)


async def first_of(*waits: Coroutine[Any, Any, object]) -> None:
    """Until one of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
