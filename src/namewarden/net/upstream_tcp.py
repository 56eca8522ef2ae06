"""One upstream over TCP: one connection, reused, its questions pipelined and answered in any order (RFC 7766).

It is opened by the first question, closed after `IDLE` quiet seconds, and opened anew when the server hung up:
who waited then is asked once more, for a server may close an idle connection just as a question leaves.
"""

import errno
import os
import socket
from asyncio import Future, TimerHandle
from contextlib import suppress

from namewarden.net.flights import Carrier, Flight, Way, free_id, launch, settle
from namewarden.net.framing import Framing, frame
from namewarden.query import Answer, Query
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query

IDLE = 10.0  # seconds; servers commonly close after 10 to 30
MOST_WAITING = 16_384  # questions on one connection
MOST_UNSENT = 1 << 20  # octets a server that does not read may make us hold
CHUNK = 65536


class Link:
    """A connection and who waits on it, by id."""

    __slots__ = ("answered", "framing", "sock", "unsent", "waiting", "writing")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting: dict[int, Flight] = {}
        self.unsent = bytearray()
        self.framing = Framing()
        self.writing = False
        self.answered = False  # it has worked: when it ends now, that is no failure of the server's


class TcpUpstream(Carrier):
    """One connection at a time."""

    def __init__(self, way: Way) -> None:
        super().__init__(way)
        self._link: Link | None = None
        self._idle_timer: TimerHandle | None = None

    def stop(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._link is not None:
            self._drop(self._link, UpstreamError("stopped", hard=True), again=False)

    def begin(self, query: Query, seconds: float, rtt: float = 0.0) -> "Future[Answer]":
        """Ask. The future ends within `seconds`."""
        flight = launch(self._loop, query, self._land)
        flight.timer = self._loop.call_later(seconds, flight.expire)
        self._send(flight)
        return flight.future

    def _send(self, flight: Flight) -> None:
        try:
            link = self._link or self._connect()
        except OSError as error:
            flight.fail(UpstreamError(error.strerror or "network error", 23, hard=True))
            return
        if len(link.waiting) >= MOST_WAITING or len(link.unsent) > MOST_UNSENT:
            flight.fail(UpstreamError("too many questions wait on the connection", 23, hard=True))
            return
        flight.ident = free_id(link.waiting, self.draw)
        link.waiting[flight.ident] = flight
        link.unsent += frame(write_query(flight.query, flight.ident, self.payload))
        if not link.writing:
            self._write(link)

    def _connect(self) -> Link:
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        status = sock.connect_ex(self.address)
        if status not in (0, errno.EINPROGRESS):
            sock.close()
            raise OSError(status, os.strerror(status))
        link = self._link = Link(sock)
        self._loop.add_reader(sock, self._read, link)
        self._loop.add_writer(sock, self._write, link)
        link.writing = True
        return link

    def _write(self, link: Link) -> None:
        try:
            sent = link.sock.send(link.unsent) if link.unsent else 0
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lose(link, error)
            return
        del link.unsent[:sent]
        self._watch_writing(link, bool(link.unsent))

    def _watch_writing(self, link: Link, wanted: bool) -> None:
        if wanted and not link.writing:
            self._loop.add_writer(link.sock, self._write, link)
        elif link.writing and not wanted:
            self._loop.remove_writer(link.sock)
        link.writing = wanted

    def _read(self, link: Link) -> None:
        try:
            data = link.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(link, error)
            return
        if not data:
            self._lose(link, ConnectionError(errno.ECONNRESET, "connection closed"))
            return
        now = self.clock()
        for message in link.framing.feed(data):
            if settle(link.waiting, message, now):
                link.answered = True
            else:
                self.wrong += 1

    def _lose(self, link: Link, error: OSError) -> None:
        failure = UpstreamError(error.strerror or "network error", 23, hard=True)
        self._drop(link, failure, again=link.answered)

    def _drop(self, link: Link, failure: UpstreamError, again: bool) -> None:
        if self._link is link:
            self._link = None
        if link.sock.fileno() >= 0:
            self._loop.remove_reader(link.sock)
            self._loop.remove_writer(link.sock)
            with suppress(OSError):
                link.sock.close()
        flights = list(link.waiting.values())
        link.waiting.clear()
        for flight in flights:
            if again and not flight.retried and not flight.future.done():
                flight.retried = True
                self._send(flight)
            else:
                flight.fail(failure)

    def _land(self, flight: Flight) -> None:
        link = self._link
        if link is None:
            return
        if link.waiting.get(flight.ident) is flight:
            del link.waiting[flight.ident]
        if not link.waiting and self._idle_timer is None:
            self._idle_timer = self._loop.call_later(IDLE, self._close_idle, link)

    def _close_idle(self, link: Link) -> None:
        self._idle_timer = None
        if self._link is link and not link.waiting:
            self._drop(link, UpstreamError("idle"), again=False)
