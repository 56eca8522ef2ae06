"""One upstream over TCP: a connection, reused, its questions pipelined and answered in any order (RFC 7766).

It is opened by the first question, closed when nobody asked for a while. A question that is kept waiting by a silent
connection is asked on another one too; answered there, the silent one is given up, and all who wait on it ask again.
So do those whose connection ended, as long as the server gets on: it may answer a few questions a connection, or one,
and then several are open, as many as it takes. Counterpart: `wire/stream.py`, whose `ClientStream` each carries.
"""

import errno
import os
import socket
from asyncio import Future, TimerHandle
from collections import deque
from contextlib import suppress

from namewarden.net.abilities import Asked
from namewarden.net.exchanges import RESEND_AFTER, Endpoint, Exchange, Transport, free_id
from namewarden.query import Answer
from namewarden.wire.errors import UpstreamError
from namewarden.wire.stream import ClientLimits, ClientStream

CHUNK = 65536
MOST_CONNECTIONS = 8  # of one server, where one does not do
BRIEF = 1.0  # seconds: an end that soon after an answer is the server's way, not one of an idle connection
REMEMBERED = 60.0  # seconds what a server takes is remembered
# No server listens there, or no way leads to it: that says nothing about what it takes.
_ABSENT = (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT)


class TcpExchange(Exchange):
    """A question on one connection, or on others too; on none while it waits for room."""

    __slots__ = ("answers", "places", "tries")

    def __init__(self, asked: Asked, future: "Future[Answer]", pause: float, left: float) -> None:
        Exchange.__init__(self, asked, future, pause, left)
        self.places: list[tuple[TcpConnection, int]] = []  # connections and ids
        self.answers = 0  # how many the server had given when this was asked
        self.tries = 0  # after silence


class TcpConnection:
    """A connected socket and the stream over it."""

    __slots__ = ("answers", "asked", "is_idle", "since", "sock", "stream", "writing")

    def __init__(self, sock: socket.socket, stream: ClientStream[TcpExchange], now: float) -> None:
        self.sock = sock
        self.stream = stream
        self.is_idle = True  # nothing has left that is not answered
        self.since = now  # the last octet from there, or the first to there after idleness
        self.writing = False
        self.asked = 0  # questions
        self.answers = 0


class TcpUpstream(Transport[TcpExchange]):
    """One connection, more where the server wants it so."""

    exchange = TcpExchange
    over_tcp = True
    is_patient = True

    def __init__(self, endpoint: Endpoint, limits: ClientLimits | None = None) -> None:
        super().__init__(endpoint)
        self._limits = limits or ClientLimits()
        self._connections: list[TcpConnection] = []
        self._queue: deque[TcpExchange] = deque()  # until a connection has room
        self._most = MOST_CONNECTIONS  # the server takes
        self._share = self._limits.waiting  # questions that it takes on one of them
        self._deaf_after = 0  # answers of the last connection that went deaf
        self._learned_at = 0.0
        self._answers = 0
        self._idle_timer: TimerHandle | None = None

    def stop(self) -> None:
        self._deadlines.stop()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        waiting = list(self._queue)
        self._queue.clear()
        for connection in list(self._connections):
            waiting += self._drop(connection)
        for exchange in waiting:
            exchange.end(UpstreamError("stopped", hard=True))

    def _send(self, exchange: TcpExchange) -> None:
        try:
            connection = self._with_room()
        except OSError as error:
            exchange.end(UpstreamError(error.strerror or "network error", 23, hard=True))
            return
        if connection is not None:
            self._ask(connection, exchange)
        elif len(self._queue) < self._limits.waiting:
            self._queue.append(exchange)
        else:
            exchange.end(UpstreamError("too many questions wait for a connection", 23, hard=True))

    def _with_room(self) -> TcpConnection | None:
        """One that takes a question more, a new one where there is none and the server takes it. OSError."""
        if self._learned_at and self.clock() - self._learned_at > REMEMBERED:
            self._learned_at, self._most, self._share = 0.0, MOST_CONNECTIONS, self._limits.waiting
        for connection in self._connections:
            if connection.asked < self._share and not connection.stream.is_full:
                return connection
        return self._connect() if len(self._connections) < self._most else None

    def _ask(self, connection: TcpConnection, exchange: TcpExchange) -> None:
        stream = connection.stream
        ident = free_id(stream.waiting, self.draw)
        exchange.places.append((connection, ident))
        exchange.answers = self._answers
        connection.asked += 1
        stream.ask(ident, exchange, self._message(exchange, ident), self.clock())
        if not connection.writing:
            self._write(connection)

    def _send_again(self, exchange: TcpExchange) -> None:
        """Once more on another connection, if its own has been silent; one that speaks will come to it."""
        if not exchange.places:
            return
        if not self._is_silent(exchange.places[-1][0]):
            return
        exchange.tries += 1
        tried = [connection for connection, _ in exchange.places]
        others = [each for each in self._connections if each not in tried]
        most = 1 if exchange.tries > 1 else self._share  # the second time all are spread
        fresh = [each for each in others if each.asked < most]
        is_known = any(each.answers for each in self._connections)
        with suppress(OSError):  # what was asked first may still be answered
            if fresh:
                self._ask(fresh[-1], exchange)
            elif len(self._connections) <= self._most and (is_known or len(tried) == 1):
                self._ask(self._connect(), exchange)
            elif others:
                self._ask(min(others, key=lambda each: len(each.stream.waiting)), exchange)

    def _is_silent(self, connection: TcpConnection) -> bool:
        return self.clock() - connection.since >= RESEND_AFTER / 2

    def _connect(self) -> TcpConnection:
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = sock.connect_ex(self.address)
        if status not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(status, os.strerror(status))
        now = self.clock()
        connection = TcpConnection(sock, ClientStream(self._limits, now), now)
        self._connections.append(connection)
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
        if sent and connection.is_idle:
            connection.is_idle, connection.since = False, self.clock()
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
        connection.since = now = self.clock()
        for message in connection.stream.receive(data, now):
            self._take(connection, message)
        connection.is_idle = not connection.stream.waiting
        if connection.asked >= self._share and not connection.stream.waiting:
            self._drop(connection)
            self._dispatch()

    def _take(self, connection: TcpConnection, message: bytes) -> None:
        ident = int.from_bytes(message[:2])
        exchange = connection.stream.waiting.get(ident) if len(message) >= 12 else None
        outcome = self._read_answer(exchange, message) if exchange else None
        if exchange is None or outcome is None:
            self.wrong += 1
            return
        connection.answers += 1
        self._answers += 1
        before = [place for place, _ in exchange.places if place is not connection]
        self._finish(exchange)
        exchange.end(outcome)
        for silent in before:
            if self._is_silent(silent):
                self._replace(silent)

    def _replace(self, connection: TcpConnection) -> None:
        """It has gone deaf: who waits on it asks elsewhere. Some servers do that each time."""
        if connection.answers and connection.answers == self._deaf_after:
            self._share, self._learned_at = connection.answers, self.clock()
        self._deaf_after = connection.answers
        waiting = self._drop(connection)
        for exchange in waiting:
            self._send(exchange)
        self._dispatch()

    def _lose(self, connection: TcpConnection, error: OSError) -> None:
        """It has ended. Who waits asks again while the server gets on, or may with fewer at a time."""
        waiting = self._drop(connection)
        was_there = bool(self._connections) or error.errno not in _ABSENT
        gets_on = was_there and self._learn(connection, bool(waiting))
        failure = UpstreamError(error.strerror or "network error", 23, hard=True)
        for exchange in waiting:
            if gets_on or self._answers > exchange.answers:
                self._send(exchange)
            else:
                exchange.end(failure)
        self._dispatch()

    def _learn(self, connection: TcpConnection, is_missed: bool) -> bool:
        """What the server takes, from the end of a connection; whether that gives hope."""
        now = self.clock()
        if connection.answers:
            if is_missed and now - connection.since < BRIEF:
                self._share, self._learned_at = connection.answers, now
            return True
        if self._connections:
            self._most, self._learned_at = len(self._connections), now
            return True
        if connection.asked > 1 and self._share > 1:  # its reset may have taken an answer along
            self._share, self._learned_at = 1, now
            return True
        return False

    def _dispatch(self) -> None:
        """Who waits for room gets what there is."""
        for _ in range(len(self._queue)):
            if len(self._connections) >= self._most and self._is_full():
                return
            exchange = self._queue.popleft()
            if not exchange.future.done():
                self._send(exchange)

    def _is_full(self) -> bool:
        return all(each.asked >= self._share or each.stream.is_full for each in self._connections)

    def _drop(self, connection: TcpConnection) -> list[TcpExchange]:
        """Close it; who waited there and on no other."""
        if connection not in self._connections:
            return []
        self._connections.remove(connection)
        self._loop.remove_reader(connection.sock)
        self._loop.remove_writer(connection.sock)
        with suppress(OSError):
            connection.sock.close()
        left = list(connection.stream.waiting.values())
        connection.stream.waiting.clear()
        for exchange in left:
            exchange.places = [place for place in exchange.places if place[0] is not connection]
        return [each for each in left if not (each.places or each.future.done())]

    def _give_up(self, exchange: TcpExchange) -> None:
        """Its time is over, and where it waited may be deaf."""
        places = exchange.places
        super()._give_up(exchange)
        for connection, _ in places:
            if connection in self._connections and connection.stream.time_out(self.clock()):
                self._replace(connection)

    def _finish(self, exchange: TcpExchange) -> None:
        now = self.clock()
        for connection, ident in exchange.places:
            connection.stream.finish(ident, exchange, now)
        exchange.places = []
        if self._idle_timer is None and self._connections:
            self._idle_timer = self._loop.call_later(self._limits.idle, self._close_idle)

    def _close_idle(self) -> None:
        self._idle_timer = None
        now = self.clock()
        for connection in list(self._connections):
            if connection.stream.is_idle(now):
                self._drop(connection)
        if self._connections:
            wake = min(each.stream.wake for each in self._connections)
            self._idle_timer = self._loop.call_later(
                max(wake - now, self._limits.idle / 4), self._close_idle
            )
