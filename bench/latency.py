"""What single queries cost: names asked once each at a fixed rate, by one client or by several at a time.

An open loop: a query leaves when its time has come, whether or not earlier ones were answered, so a
slow server cannot slow the asking down. Arrival times are those of many independent clients (Poisson).
"""

import heapq
import random
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from bench.processes import BUFFER, HOST

GRACE = 2.0  # seconds to wait for the last answers
IDS = 65_536  # queries of one socket: each has an id of its own
ADDRESS = b"\xc0\x00\x02\x01"  # the world's, at the end of its answer
HEADER = struct.Struct("!HHHHHH")
TAIL = struct.pack("!HH", 1, 1)  # A, IN


@dataclass(frozen=True)
class Client:
    """Asks each of its names once, so many a second on average."""

    names: Sequence[str]
    rate: float
    address: str = HOST


@dataclass(frozen=True)
class Latencies:
    """Seconds from sending to receiving, sorted; how many were sent, and how many came from the upstream."""

    seconds: tuple[float, ...]
    sent: int
    resolved: int

    def quantile(self, share: float) -> float:
        """Of all that was sent: a lost query counts as one that took for ever."""
        place = min(int(share * self.sent), self.sent - 1)
        return self.seconds[place] if place < len(self.seconds) else float("inf")

    @property
    def answered(self) -> float:
        return len(self.seconds) / self.sent if self.sent else 0.0


def question(name: str) -> bytes:
    labels = name.rstrip(".").split(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0" + TAIL


def measure(port: int, names: Sequence[str], rate: float, seed: int = 1) -> Latencies:
    """One client."""
    return measure_together(port, [Client(names, rate)], seed)[0]


def measure_together(port: int, clients: Sequence[Client], seed: int = 1) -> list[Latencies]:
    """All at the same time; what each of them saw."""
    with ExitStack() as stack:
        askers = [Asker(port, client, stack) for client in clients]
        sockets = {sock: asker for asker in askers for sock in asker.sockets}
        for due, place, number in _schedule(clients, seed):
            _receive(sockets, due)
            askers[place].send(number)
        end = time.perf_counter() + GRACE
        while time.perf_counter() < end and not all(asker.is_done() for asker in askers):
            _receive(sockets, time.perf_counter() + 0.01)
        return [asker.latencies() for asker in askers]


class Asker:
    """A client's sockets, one for each 65,536 of its queries, when each query left and when its answer came."""

    def __init__(self, port: int, client: Client, stack: ExitStack) -> None:
        self.packets = [
            HEADER.pack(number % IDS, 0x0100, 1, 0, 0, 0) + question(name)
            for number, name in enumerate(client.names)
        ]
        self.sockets = {
            stack.enter_context(_connected(client.address, port)): number
            for number in range(0, max(len(self.packets), 1), IDS)
        }
        self._sends = [sock.send for sock in self.sockets]
        self._sent = [0.0] * len(self.packets)
        self._took: dict[int, float] = {}
        self._resolved = 0

    def send(self, number: int) -> None:
        """A full buffer or an ICMP error of an earlier query: the query stays unanswered, which is what counts."""
        self._sent[number] = time.perf_counter()
        with suppress(OSError):
            self._sends[number // IDS](self.packets[number])

    def receive(self, sock: socket.socket) -> None:
        """All that waits there."""
        first = self.sockets[sock]
        with suppress(BlockingIOError):
            while True:
                try:
                    data = sock.recv(4096)
                except ConnectionError:  # ICMP from a closed port: that query stays unanswered
                    continue
                number = first + (data[0] << 8 | data[1])
                if number not in self._took:
                    self._took[number] = time.perf_counter() - self._sent[number]
                    self._resolved += data.endswith(ADDRESS)

    def is_done(self) -> bool:
        return len(self._took) == len(self.packets)

    def latencies(self) -> Latencies:
        return Latencies(tuple(sorted(self._took.values())), len(self.packets), self._resolved)


def _connected(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.bind((address, 0))
    sock.connect((HOST, port))
    sock.setblocking(False)
    return sock


def _schedule(clients: Sequence[Client], seed: int) -> Iterator[tuple[float, int, int]]:
    """When which client sends its which query."""
    begin = time.perf_counter() + 0.01
    each = [_arrivals(client, begin, place, seed + place) for place, client in enumerate(clients)]
    return heapq.merge(*each)


def _arrivals(client: Client, at: float, place: int, seed: int) -> Iterator[tuple[float, int, int]]:
    dice = random.Random(seed)
    for number in range(len(client.names)):
        at += dice.expovariate(client.rate)
        yield at, place, number


def _receive(sockets: dict[socket.socket, Asker], due: float) -> None:
    """Take what comes until then. Who is late with sending does not wait, but still looks."""
    while True:
        left = due - time.perf_counter()
        ready = select.select(sockets, [], [], max(left, 0.0))[0]
        for sock in ready:
            sockets[sock].receive(sock)
        if left <= 0 or not ready:
            return
