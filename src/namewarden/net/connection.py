"""One client's TCP stream: framed queries in, answers out in the order they are ready.

While `PIPELINED` queries are in flight or `MOST_UNSENT` octets are not taken, nothing is read: a client that
does not read its answers fills its own buffers, not ours. Counterpart: `tcp.py`, which accepts.
"""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from namewarden.net.framing import Framing, frame
from namewarden.net.listener import Ask
from namewarden.query import Answer, Query
from namewarden.wire.answers import to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.message import read_query

PIPELINED = 32  # queries of one connection in flight
MOST_UNSENT = 256 * 1024  # octets: four of the largest answers
CHUNK = 4096  # of one wake-up: some hundred queries at most, so that others get their turn
LARGEST = 65535


@dataclass
class TcpCounts:
    """What a listener and its connections have seen since it was opened."""

    connections: int = 0
    refused: int = 0  # connections above a limit
    queries: int = 0
    malformed: int = 0
    cut: int = 0  # connections ended by us: too slow, or not DNS


class Connection:
    """`start` it; it ends by itself and says so to `gone`, once."""

    def __init__(
        self,
        sock: socket.socket,
        client: str,
        ask: Ask,
        idle: float,
        counts: TcpCounts,
        gone: Callable[["Connection"], None],
    ) -> None:
        self.client = client
        self._socket = sock
        self._ask_chain = ask
        self._idle = idle
        self._counts = counts
        self._gone = gone
        self._framing = Framing()
        self._pending: deque[bytes] = deque()
        self._unsent = bytearray()
        self._in_flight = 0
        self._is_reading = self._is_writing = self._is_working = False
        self._has_ended = False  # the client sends no more; its answers are still due
        self._is_closed = False
        self._loop = asyncio.get_running_loop()
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._extend()
        self._timer = self._loop.call_later(self._idle, self._check)
        self._work()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._read_more(False)
        self._write_more(False)
        if self._timer is not None:
            self._timer.cancel()
        self._pending.clear()
        self._socket.close()
        self._gone(self)

    def _cut(self) -> None:
        self._counts.cut += 1
        self.close()

    # Time. A message must be whole, and all answers taken, `idle` seconds after the last time that was so:
    # trickling octets buys nothing. Waiting for our own answer is no fault of the client's.

    def _extend(self) -> None:
        self._deadline = time.monotonic() + self._idle

    def _check(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 and self._in_flight and not self._unsent:
            left = self._idle
        if left > 0:
            self._timer = self._loop.call_later(left, self._check)
        elif self._unsent or self._framing.is_within:
            self._cut()
        else:
            self.close()

    # In.

    def _readable(self) -> None:
        try:
            data = self._socket.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if not data:
            self._has_ended = True
        messages = self._framing.feed(data)
        if messages:
            self._extend()
            self._pending.extend(messages)
        self._work()

    def _work(self) -> None:
        """Ask what may be asked now, then wait for the right thing."""
        if self._is_working or self._is_closed:
            return
        self._is_working = True
        while self._pending and self._has_room() and not self._is_closed:
            self._ask(self._pending.popleft())
        self._is_working = False
        if self._is_closed:
            return
        if self._has_ended and not (self._pending or self._in_flight or self._unsent):
            self.close()
        else:
            self._read_more(self._has_room() and not self._pending and not self._has_ended)

    def _has_room(self) -> bool:
        return self._in_flight < PIPELINED and len(self._unsent) < MOST_UNSENT

    def _read_more(self, wanted: bool) -> None:
        if wanted and not self._is_reading:
            self._loop.add_reader(self._socket, self._readable)
        elif self._is_reading and not wanted:
            self._loop.remove_reader(self._socket)
        self._is_reading = wanted

    def _ask(self, data: bytes) -> None:
        counts = self._counts
        try:
            query = read_query(data, self.client, "tcp", time.monotonic())
        except WireError as error:
            counts.malformed += 1
            if error.reply is None:
                self._cut()  # not a query at all: the stream is not DNS
            else:
                self._send(error.reply)
            return
        counts.queries += 1
        self._in_flight += 1
        self._ask_chain(query, partial(self._answered, query))

    # Out.

    def _answered(self, query: Query, answer: Answer) -> None:
        self._in_flight -= 1
        if self._is_closed:
            return
        if not answer.silent:
            self._send(to_wire(query, answer, time.monotonic(), LARGEST))
        self._work()

    def _send(self, message: bytes) -> None:
        if not self._unsent:
            self._extend()
        self._unsent += frame(message)
        if not self._is_writing:
            self._writable()

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            self.close()
            return
        del self._unsent[:sent]
        if not self._unsent:
            self._extend()
        self._write_more(bool(self._unsent))
        if sent:
            self._work()

    def _write_more(self, wanted: bool) -> None:
        if wanted and not self._is_writing:
            self._loop.add_writer(self._socket, self._writable)
        elif self._is_writing and not wanted:
            self._loop.remove_writer(self._socket)
        self._is_writing = wanted
