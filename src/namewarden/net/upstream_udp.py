"""One upstream over UDP. Every question leaves from a port drawn from a pool that keeps changing, with a random id.

The ports are the kernel's random choice, known to nobody, used for USES questions or AGE seconds and then
replaced; a fresh socket for each question would cost a third of all that a cache miss costs. File handles are
bounded whatever is in flight. Being connected, a socket hears its server only, and a closed port at once.
"""

import socket
from asyncio import Future, TimerHandle
from collections.abc import Callable

from namewarden.net.abilities import Asked
from namewarden.net.exchanges import Endpoint, Exchange, Transport, free_id
from namewarden.query import Answer
from namewarden.wire.errors import UpstreamError

MOST_SOCKETS = 64
USES = 64  # questions of one port: at 2,000 a second the whole pool is another every two seconds
RETIRED = 192  # ports at a time that only wait for answers; beyond it the pool is not renewed
CROWD = 3  # who wait on one port: then another answer has likely come, and looking for it pays
BATCH = 32  # datagrams of one wake-up, so that a flood of lies does not starve the loop
AGE = 10.0  # seconds a port is asked from, and the longest an idle pool stays open
LARGEST = 65535


class Port:
    """A connected socket and who waits on it, by id."""

    __slots__ = ("retired", "since", "sock", "used", "waiting")

    def __init__(self, sock: socket.socket, since: float) -> None:
        self.sock = sock
        self.since = since
        self.used = 0
        self.retired = False  # no more questions; closed when nobody waits any more
        self.waiting: dict[int, UdpExchange] = {}


class UdpExchange(Exchange):
    """A question that left from one port, or from a second one too."""

    __slots__ = ("first", "ident", "port")

    def __init__(self, asked: Asked, future: "Future[Answer]", pause: float, left: float) -> None:
        Exchange.__init__(self, asked, future, pause, left)
        self.ident = -1
        self.port: Port | None = None  # where it waits, with its id
        self.first: tuple[Port, int] | None = None  # and where it left from first


class UdpUpstream(Transport[UdpExchange]):
    """Many ports at a time."""

    exchange = UdpExchange
    over_tcp = False
    is_patient = False

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.resent = 0
        self._pool: list[Port] = []
        self._retired: set[Port] = set()
        self._sweep: TimerHandle | None = None

    def stop(self) -> None:
        self._deadlines.stop()
        for port in [*self._pool, *self._retired]:
            for exchange in port.waiting.values():
                exchange.end(UpstreamError("stopped", hard=True))
            self._close(port)
        self._pool.clear()
        if self._sweep is not None:
            self._sweep.cancel()

    def _send(self, exchange: UdpExchange) -> None:
        self._send_from(exchange, self._port)

    def _send_again(self, exchange: UdpExchange) -> None:
        self.resent += 1
        if exchange.port is not None:
            exchange.first, exchange.port = (exchange.port, exchange.ident), None
        self.abilities.again(exchange.asked)
        self._send_from(exchange, self._another)

    def _send_from(self, exchange: UdpExchange, choose: Callable[[], Port]) -> None:
        try:
            port = choose()
            ident = free_id(port.waiting, self.draw)
            port.waiting[ident] = exchange
            port.used += 1
            exchange.port, exchange.ident = port, ident
            port.sock.send(self._message(exchange, ident))
        except BlockingIOError:
            pass  # the send buffer is full: as if lost, it is sent once more
        except OSError as error:
            if exchange.first is not None:
                return  # what left first may still be answered
            exchange.end(UpstreamError(error.strerror or "network error", 23, hard=True))
            self._finish(exchange)

    def _port(self) -> Port:
        """Any of the pool; while that is not full, or where the one drawn has served its time, a new one."""
        place = self.draw() % MOST_SOCKETS
        if place >= len(self._pool):
            port = self._fresh()
            self._pool.append(port)
            return port
        port = self._pool[place]
        if port.retired or (self._is_worn(port) and len(self._retired) < RETIRED):
            self._pool[place] = fresh = self._fresh()
            self._retire(port)
            return fresh
        return port

    def _is_worn(self, port: Port) -> bool:
        return port.used >= USES or self.clock() - port.since > AGE

    def _another(self) -> Port:
        """For a question that is asked once more: a port that it has not left from."""
        if len(self._retired) >= RETIRED:
            return self._port()
        port = self._fresh()
        port.retired = True
        self._retired.add(port)
        return port

    def _fresh(self) -> Port:
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        port = Port(sock, self.clock())
        self._loop.add_reader(sock, self._read, port)
        if self._sweep is None:
            self._sweep = self._loop.call_later(AGE, self._close_idle)
        return port

    def _retire(self, port: Port) -> None:
        port.retired = True
        if port.waiting:
            self._retired.add(port)
        else:
            self._close(port)

    def _close_idle(self) -> None:
        """Ports that nobody asked from for a while: a quiet server holds none."""
        oldest = self.clock() - AGE
        old = [port for port in self._pool if port.since <= oldest]
        self._pool = [port for port in self._pool if port.since > oldest]
        for port in old:
            self._retire(port)
        self._sweep = self._loop.call_later(AGE, self._close_idle) if self._pool else None

    def _read(self, port: Port) -> None:
        """One datagram a wake-up, for mostly there is no other; more while a crowd waits here, as far as BATCH."""
        for _ in range(BATCH):
            try:
                data = port.sock.recv(LARGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self._break(port, error)
                return
            self._take(port, data)
            if len(port.waiting) < CROWD:
                return

    def _take(self, port: Port, data: bytes) -> None:
        """An answer goes to whom it belongs; nobody here asked for anything else, so waiting goes on."""
        exchange = port.waiting.get(int.from_bytes(data[:2])) if len(data) >= 12 else None
        outcome = self._read_answer(exchange, data) if exchange else None
        if exchange is None or outcome is None:
            self.wrong += 1
            return
        self._finish(exchange)
        exchange.end(outcome)

    def _break(self, port: Port, error: OSError) -> None:
        failure = UpstreamError(error.strerror or "network error", 23, hard=True)
        for exchange in list(port.waiting.values()):
            exchange.end(failure)
            self._finish(exchange)
        self._retire(port)

    def _finish(self, exchange: UdpExchange) -> None:
        """Nothing more is expected for it."""
        if exchange.port is not None:
            self._leave(exchange.port, exchange.ident)
            exchange.port = None
        if exchange.first is not None:
            self._leave(*exchange.first)
            exchange.first = None

    def _leave(self, port: Port, ident: int) -> None:
        del port.waiting[ident]
        if port.retired and not port.waiting:
            self._close(port)

    def _close(self, port: Port) -> None:
        self._retired.discard(port)
        if port.sock.fileno() >= 0:
            self._loop.remove_reader(port.sock)
            port.sock.close()

    @property
    def open_sockets(self) -> int:
        return len(self._pool) + len(self._retired)

    @property
    def in_flight(self) -> int:
        ports = (*self._pool, *self._retired)
        asked = {exchange for port in ports for exchange in port.waiting.values()}
        return sum(not exchange.future.done() for exchange in asked)
