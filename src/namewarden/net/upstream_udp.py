"""One upstream over UDP. Every question leaves from a fresh connected socket, so from a port of the kernel's choice.

A socket costs 16 µs; at 2,000 questions a second that is 3 % of a core. Beyond `most` open ones a question
joins one drawn at random, with an id of its own, so file handles are bounded whatever is in flight.
Being connected, a socket hears its server only, and a closed port at once.
"""

import socket
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from typing import Any

from namewarden.net.flights import Flight, free_id, launch, settle
from namewarden.query import Answer, Query
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query

MOST_SOCKETS = 256
USES = 256  # of a shared socket, then it gets no more questions: ports rotate under load too
BATCH = 32  # datagrams of one wake-up, so that a flood of lies does not starve the loop
RESEND_AFTER = 0.3  # seconds at least until a question is asked once more: one datagram may be lost
LARGEST = 65535


class Port:
    """A connected socket and who waits on it, by id."""

    __slots__ = ("sock", "used", "waiting")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.used = 0
        self.waiting: dict[int, Flight] = {}


class UdpUpstream:
    """Asks one server; `begin` never blocks."""

    def __init__(
        self,
        address: tuple[int, tuple[Any, ...]],
        payload: int,
        draw: Callable[[int], int],
        clock: Callable[[], float],
        most: int = MOST_SOCKETS,
    ) -> None:
        self.family, self.address = address
        self.payload = payload
        self.draw = draw
        self.clock = clock
        self.most = most
        self.wrong = 0  # datagrams that answered nothing we asked
        self.resent = 0
        self._open: list[Port] = []
        self._places: dict[Flight, list[tuple[Port, int]]] = {}
        self._loop: AbstractEventLoop

    def start(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        for flight in list(self._places):
            flight.fail(UpstreamError("stopped", hard=True))
        for port in self._open[:]:
            self._close(port)

    def begin(self, query: Query, seconds: float, rtt: float = 0.0) -> "Future[Answer]":
        """Ask, and once more after a while. The future ends within `seconds`."""
        flight = launch(self._loop, query, self._land)
        self._places[flight] = []
        self._send(flight)
        pause = max(RESEND_AFTER, 4 * rtt)
        if pause < seconds:
            flight.timer = self._loop.call_later(pause, self._resend, flight, seconds - pause)
        else:
            flight.timer = self._loop.call_later(seconds, flight.expire)
        return flight.future

    def _resend(self, flight: Flight, left: float) -> None:
        flight.timer = self._loop.call_later(left, flight.expire)
        self.resent += 1
        self._send(flight)

    def _send(self, flight: Flight) -> None:
        try:
            port = self._port()
            ident = free_id(port.waiting, self.draw)
            port.waiting[ident] = flight
            port.used += 1
            self._places[flight].append((port, ident))
            port.sock.send(write_query(flight.query, ident, self.payload))
        except BlockingIOError:
            pass  # the send buffer is full: as if lost, it is sent once more
        except OSError as error:
            flight.fail(UpstreamError(error.strerror or "network error", 23, hard=True))

    def _port(self) -> Port:
        if len(self._open) < self.most:
            return self._fresh()
        port = self._open[self.draw(16) % len(self._open)]
        if port.used >= USES:
            self._open.remove(port)
            return self._fresh()
        return port

    def _fresh(self) -> Port:
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        port = Port(sock)
        self._open.append(port)
        self._loop.add_reader(sock, self._read, port)
        return port

    def _read(self, port: Port) -> None:
        for _ in range(BATCH):
            try:
                data = port.sock.recv(LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._break(port, error)
                return
            if not settle(port.waiting, data, self.clock()):
                self.wrong += 1
            elif not port.waiting:
                self._close(port)
                return

    def _break(self, port: Port, error: OSError) -> None:
        failure = UpstreamError(error.strerror or "network error", 23, hard=True)
        for flight in list(port.waiting.values()):
            flight.fail(failure)
        self._close(port)

    def _land(self, flight: Flight) -> None:
        for port, ident in self._places.pop(flight, ()):
            if port.waiting.get(ident) is flight:
                del port.waiting[ident]
            if not port.waiting:
                self._close(port)

    def _close(self, port: Port) -> None:
        if port.sock.fileno() < 0:
            return
        self._loop.remove_reader(port.sock)
        port.sock.close()
        if port in self._open:
            self._open.remove(port)

    @property
    def open_sockets(self) -> int:
        return len(self._open)
