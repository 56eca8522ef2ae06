"""The TCP listener: connections in, framed queries down the chain, answers out as they come (RFC 7766).

Everything a client can make us hold is bounded: connections in all and of one address, and of each what
`ServerLimits` says. Counterparts: `connection.py` (one client's), `listener.py`,
`process/sockets.py` (who bound the socket).
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from namewarden.net.connection import ByteStream, Connection, Serving
from namewarden.net.listener import Reaches, settled

BACKLOG = 512
ACCEPTS = 64  # a wake-up
PAUSE = 0.1  # seconds without accepting when the process has no file handle left


@dataclass(frozen=True)
class TcpLimits:
    """Who may connect, and how often. Strangers are not let in: they would hold the connections of others."""

    is_allowed: Callable[[str], bool]
    per_client: int = 20
    connections: int = 500


def _plain(sock: socket.socket) -> ByteStream:
    return sock


class TcpListener:
    """One bound TCP socket. `start` and `stop` it in a running loop. `wrap` is for what is spoken below DNS, as TLS."""

    def __init__(
        self,
        bound: socket.socket,
        serving: Serving,
        limits: TcpLimits,
        wrap: Callable[[socket.socket], ByteStream] = _plain,
    ) -> None:
        self._socket = bound
        self._serving = serving
        self._limits = limits
        self._wrap = wrap
        self._open: set[Connection] = set()
        self._of_client: Counter[str] = Counter()
        self._pause: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        self._resume()

    async def stop(self) -> None:
        """No more connections; those open end when what they have asked by now is answered."""
        asyncio.get_running_loop().remove_reader(self._socket)
        if self._pause is not None:
            self._pause.cancel()
        for connection in list(self._open):
            connection.end()
        await settled(lambda: not self._open)
        for connection in list(self._open):
            connection.cut()

    def forget(self, reaches: Reaches | None = None) -> None:
        pass  # nothing is kept: each query is judged

    def is_busy(self) -> bool:
        return False

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
        if self._is_refused(client):
            self._serving.counts.refused += 1
            accepted.close()
            return
        self._serving.counts.connections += 1
        try:
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            wrapped = self._wrap(accepted)
        except OSError:  # the client has gone
            accepted.close()
            return
        connection = Connection(wrapped, client, self._serving, self._gone)
        self._open.add(connection)
        self._of_client[client] += 1
        connection.start()

    def _is_refused(self, client: str) -> bool:
        limits = self._limits
        return (
            len(self._open) >= limits.connections
            or self._of_client[client] >= limits.per_client
            or not limits.is_allowed(client)
        )

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._of_client[connection.client] -= 1
        if not self._of_client[connection.client]:
            del self._of_client[connection.client]
