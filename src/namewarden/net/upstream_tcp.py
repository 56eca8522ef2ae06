"""One upstream over TCP: one connection, reused, its questions pipelined and answered in any order (RFC 7766).

It is opened by the first question, closed after `IDLE` quiet seconds, and opened anew when the server hung up:
who waited then is asked once more, for a server may close an idle connection just as a question leaves.
"""

import errno
import os
import socket
from asyncio import Future, TimerHandle
from contextlib import suppress

from namewarden.net.exchanges import Endpoint, Exchange, Transport, free_id, open_exchange, settle
from namewarden.net.framing import Framing, frame
from namewarden.query import Answer, Query
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query

IDLE = 10.0  # seconds; servers commonly close after 10 to 30
MOST_WAITING = 16_384  # questions on one connection
MOST_UNSENT = 1 << 20  # octets a server that does not read may make us hold
CHUNK = 65536


class TcpConnection:
    """A connection and who waits on it, by id."""

    __slots__ = ("answered", "framing", "sock", "unsent", "waiting", "writing")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting: dict[int, Exchange] = {}
        self.unsent = bytearray()
        self.framing = Framing()
        self.writing = False
        self.answered = False  # it has worked: when it ends now, that is no failure of the server's


class TcpUpstream(Transport):
    """One connection at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._connection: TcpConnection | None = None
        self._idle_timer: TimerHandle | None = None

    def stop(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._connection is not None:
            self._drop(self._connection, UpstreamError("stopped", hard=True), again=False)

    def begin(self, query: Query, seconds: float, rtt: float = 0.0) -> "Future[Answer]":
        """Ask. The future ends within `seconds`."""
        exchange = open_exchange(self._loop, query, self._finished)
        exchange.timer = self._loop.call_later(seconds, exchange.expire)
        self._send(exchange)
        return exchange.future

    def _send(self, exchange: Exchange) -> None:
        try:
            connection = self._connection or self._connect()
        except OSError as error:
            exchange.fail(UpstreamError(error.strerror or "network error", 23, hard=True))
            return
        if len(connection.waiting) >= MOST_WAITING or len(connection.unsent) > MOST_UNSENT:
            exchange.fail(UpstreamError("too many questions wait on the connection", 23, hard=True))
            return
        exchange.ident = free_id(connection.waiting, self.draw)
        connection.waiting[exchange.ident] = exchange
        connection.unsent += frame(write_query(exchange.query, exchange.ident, self.payload))
        if not connection.writing:
            self._write(connection)

    def _connect(self) -> TcpConnection:
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = sock.connect_ex(self.address)
        if status not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(status, os.strerror(status))
        connection = self._connection = TcpConnection(sock)
        self._loop.add_reader(sock, self._read, connection)
        self._loop.add_writer(sock, self._write, connection)
        connection.writing = True
        return connection

    def _write(self, connection: TcpConnection) -> None:
        try:
            sent = connection.sock.send(connection.unsent) if connection.unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(connection, error)
            return
        del connection.unsent[:sent]
        self._watch_writing(connection, bool(connection.unsent))

    def _watch_writing(self, connection: TcpConnection, wanted: bool) -> None:
        if wanted and not connection.writing:
            self._loop.add_writer(connection.sock, self._write, connection)
        elif connection.writing and not wanted:
            self._loop.remove_writer(connection.sock)
        connection.writing = wanted

    def _read(self, connection: TcpConnection) -> None:
        try:
            data = connection.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(connection, error)
            return
        if not data:
            self._lose(connection, ConnectionError(errno.ECONNRESET, "connection closed"))
            return
        now = self.clock()
        for message in connection.framing.feed(data):
            if settle(connection.waiting, message, now):
                connection.answered = True
            else:
                self.wrong += 1

    def _lose(self, connection: TcpConnection, error: OSError) -> None:
        failure = UpstreamError(error.strerror or "network error", 23, hard=True)
        self._drop(connection, failure, again=connection.answered)

    def _drop(self, connection: TcpConnection, failure: UpstreamError, again: bool) -> None:
        if self._connection is connection:
            self._connection = None
        if connection.sock.fileno() >= 0:
            self._loop.remove_reader(connection.sock)
            self._loop.remove_writer(connection.sock)
            with suppress(OSError):
                connection.sock.close()
        exchanges = list(connection.waiting.values())
        connection.waiting.clear()
        for exchange in exchanges:
            if again and not exchange.retried and not exchange.future.done():
                exchange.retried = True
                self._send(exchange)
            else:
                exchange.fail(failure)

    def _finished(self, exchange: Exchange) -> None:
        connection = self._connection
        if connection is None:
            return
        if connection.waiting.get(exchange.ident) is exchange:
            del connection.waiting[exchange.ident]
        if not connection.waiting and self._idle_timer is None:
            self._idle_timer = self._loop.call_later(IDLE, self._close_idle, connection)

    def _close_idle(self, connection: TcpConnection) -> None:
        self._idle_timer = None
        if self._connection is connection and not connection.waiting:
            self._drop(connection, UpstreamError("idle"), again=False)
