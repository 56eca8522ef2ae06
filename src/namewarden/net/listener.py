"""What takes queries in: the protocol of every listener, whatever it speaks. The resolver keeps one list of them.

Counterparts: `udp.py`, `tcp.py` and `verdicts.py` are listeners; `process/resolver.py` starts and stops them.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from namewarden.query import Answer, Query

GRACE = 2.5  # seconds a listener that stops waits for answers; a supervisor kills after 5
TICK = 0.01  # seconds between two looks

# Asks, and says what to do with the answer, now or later.
Ask = Callable[[Query, Callable[[Answer], None]], object]
Reaches = Callable[[str], bool]  # does a change of policy reach this name?


class Listener(Protocol):
    """Made with sockets that are bound already; started and stopped in a running loop."""

    async def start(self) -> None:
        """Take queries from now on."""

    async def stop(self) -> None:
        """Take no more; return when what is in flight has its answers, or after GRACE. The sockets are not ours."""

    def forget(self, reaches: Reaches | None = None) -> None:
        """Another policy is in force: what is kept of names that it reaches is judged anew; None: of all names."""

    def is_busy(self) -> bool:
        """Did the last look, just now, find a crowd? Then work that can wait does."""


async def settled(is_idle: Callable[[], bool]) -> None:
    """Until nothing is in flight, at most GRACE seconds."""
    for _ in range(int(GRACE / TICK)):
        if is_idle():
            return
        await asyncio.sleep(TICK)
