"""One upstream over TCP: one connection, reused, its questions pipelined and answered in any order (RFC 7766).

It is opened by the first question, closed when nobody asked for a while, and opened anew when the server hung up or
went deaf: who waited then is asked once more. Counterpart: `wire/stream.py`, whose `ClientStream` it carries.
"""

import errno
import os
import socket
from asyncio import Future, TimerHandle
from contextlib import suppress

from namewarden.net.exchanges import Endpoint, Exchange, Transport, free_id, open_exchange, settle
from namewarden.query import Answer, Query
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query
from namewarden.wire.stream import ClientLimits, ClientStream

CHUNK = 65536


class TcpConnection:
    """A connected socket and the stream over it."""

    __slots__ = ("answered", "sock", "stream", "writing")

    def __init__(self, sock: socket.socket, stream: ClientStream[Exchange]) -> None:
        self.sock = sock
        self.stream = stream
        self.writing = False
        self.answered = False  # it has worked: when it ends now, that is no failure of the server's


class TcpUpstream(Transport):
    """One connection at a time."""

    def __init__(self, endpoint: Endpoint, limits: ClientLimits | None = None) -> None:
        super().__init__(endpoint)
        self._limits = limits or ClientLimits()
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
        exchange.timer = self._loop.call_later(seconds, self._expire, exchange)
        self._send(exchange)
        return exchange.future

    def _send(self, exchange: Exchange) -> None:
        try:
            connection = self._connection or self._connect()
        except OSError as error:
            exchange.fail(UpstreamError(error.strerror or "network error", 23, hard=True))
            return
        stream = connection.stream
        if stream.is_full:
            exchange.fail(UpstreamError("too many questions wait on the connection", 23, hard=True))
            return
        exchange.ident = free_id(stream.waiting, self.draw)
        message = write_query(exchange.query, exchange.ident, self.payload)
        stream.ask(exchange.ident, exchange, message, self.clock())
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
        stream: ClientStream[Exchange] = ClientStream(self._limits, self.clock())
        connection = self._connection = TcpConnection(sock, stream)
        self._loop.add_reader(sock, self._read, connection)
        self._loop.add_writer(sock, self._write, connection)
        connection.writing = True
        return connection

    def _write(self, connection: TcpConnection) -> None:
        stream = connection.stream
        try:
            sent = connection.sock.send(stream.unsent) if stream.unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(connection, error)
            return
        stream.sent(sent)
        self._watch_writing(connection, bool(stream.unsent))

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
        for message in connection.stream.receive(data, now):
            if settle(connection.stream.waiting, message, now):
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
        exchanges = list(connection.stream.waiting.values())
        connection.stream.waiting.clear()
        for exchange in exchanges:
            if again and not exchange.retried and not exchange.future.done():
                exchange.retried = True
                self._send(exchange)
            else:
                exchange.fail(failure)

    def _expire(self, exchange: Exchange) -> None:
        """Its time is over. One that was asked once more had less time here: it says nothing of this connection."""
        exchange.expire()
        connection = self._connection
        if connection is None or exchange.retried:
            return
        if connection.stream.waiting.get(exchange.ident) is not exchange:
            return
        if connection.stream.time_out(self.clock()):
            self._drop(connection, UpstreamError("timeout", 22), again=True)

    def _finished(self, exchange: Exchange) -> None:
        connection = self._connection
        if connection is None:
            return
        connection.stream.finish(exchange.ident, exchange, self.clock())
        if not connection.stream.waiting and self._idle_timer is None:
            self._idle_timer = self._loop.call_later(self._limits.idle, self._close_idle)

    def _close_idle(self) -> None:
        self._idle_timer = None
        connection, now = self._connection, self.clock()
        if connection is None or connection.stream.waiting:
            return
        if connection.stream.is_idle(now):
            self._drop(connection, UpstreamError("idle"), again=False)
        else:
            left = connection.stream.wake - now
            self._idle_timer = self._loop.call_later(left, self._close_idle)
