"""The TCP listener: connections in, framed queries down the chain, answers out as they come (RFC 7766).

Everything a client can make us hold is bounded: connections in all and of one address, queries in flight and
octets unsent on each, and the time a message may take to arrive or an answer to be taken.
Counterparts: `connection.py` (one client's stream), `chain.py` (the handler), `supervise.py` (who bound the socket).
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from namewarden.net.connection import Connection
from namewarden.net.eager import Spawn
from namewarden.query import Handler

BACKLOG = 512
ACCEPTS = 64  # a wake-up
PAUSE = 0.1  # seconds without accepting when the process has no file handle left


@dataclass
class TcpCounts:
    """What the listener has seen since it was opened."""

    connections: int = 0
    refused: int = 0  # connections above a limit
    queries: int = 0
    malformed: int = 0
    cut: int = 0  # connections ended by us: too slow, or not DNS


@dataclass(frozen=True)
class TcpParts:
    """The chain and the limits."""

    handler: Handler
    spawn: Spawn
    is_allowed: Callable[
        [str], bool
    ]  # strangers are not let in: they would hold the connections of others
    idle: float = 10.0
    per_client: int = 20
    connections: int = 500
    counts: TcpCounts = field(default_factory=TcpCounts)


class TcpListener:
    """One bound TCP socket. `start` and `stop` it in a running loop."""

    def __init__(self, bound: socket.socket, parts: TcpParts) -> None:
        self._socket = bound
        self._parts = parts
        self._open: set[Connection] = set()
        self._of_client: Counter[str] = Counter()
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        self._resume()

    def stop(self) -> None:
        """No more connections; those open are closed. The socket itself belongs to who bound it."""
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._pause is not None:
            self._pause.cancel()
        for connection in list(self._open):
            connection.close()

    @property
    def open_connections(self) -> int:
        return len(self._open)

    def _resume(self) -> None:
        self._pause = None
        asyncio.get_running_loop().add_reader(self._socket, self._acceptable)

    def _acceptable(self) -> None:
        for _ in range(ACCEPTS):
            try:
                accepted, address = self._socket.accept()
            except (BlockingIOError, ConnectionError, InterruptedError):
                return  # another worker took it, or the client has gone
            except OSError:  # no file handle left: others must end first
                loop = asyncio.get_running_loop()
                loop.remove_reader(self._socket)
                self._pause = loop.call_later(PAUSE, self._resume)
                return
            self._welcome(accepted, address[0])

    def _welcome(self, accepted: socket.socket, client: str) -> None:
        parts = self._parts
        full = len(self._open) >= parts.connections
        if full or not parts.is_allowed(client) or self._of_client[client] >= parts.per_client:
            parts.counts.refused += 1
            accepted.close()
            return
        parts.counts.connections += 1
        connection = Connection(accepted, client, parts, self._gone)
        self._open.add(connection)
        self._of_client[client] += 1
        connection.start()

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._of_client[connection.client] -= 1
        if not self._of_client[connection.client]:
            del self._of_client[connection.client]
