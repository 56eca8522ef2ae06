"""A stub resolver for many names: several sockets, paced, a bounded number in flight, asked again when nothing comes.

It waits in `select`, so it costs what its names cost. An answer counts when id, socket and question are those sent.
"""

import random
import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bench.latency import HEADER, question
from bench.processes import BUFFER, HOST

SOCKETS = 8
PATIENCE = 1.5  # seconds until a name is asked again
ATTEMPTS = 4
SLACK = 0.02  # seconds of the pace that may be made up for at once
RCODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


@dataclass
class Account:
    """What was sent and what came."""

    datagrams: int = 0
    again: int = 0  # of these, names asked once more
    rcodes: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return self.rcodes.total()


@dataclass(frozen=True)
class _Open:
    name: str
    question: bytes
    attempt: int
    sent: float


class Stub:
    """`with Stub(port, rate) as stub: stub.ask(names)`. `answered` is told each name's end."""

    def __init__(
        self,
        port: int,
        rate: float,
        in_flight: int = 128,
        answered: Callable[[], None] = lambda: None,
        seed: int = 1,
    ) -> None:
        self.account = Account()
        self._port, self._rate, self._most = port, rate, in_flight
        self._answered = answered
        self._dice = random.Random(seed)
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []
        self._open: dict[tuple[int, int], _Open] = {}  # by socket and id, oldest first
        self._waiting: deque[tuple[str, int]] = deque()
        self._due = 0.0

    def __enter__(self) -> "Stub":
        for number in range(SOCKETS):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            sock.connect((HOST, self._port))
            sock.setblocking(False)
            self._sockets.append(sock)
            self._selector.register(sock, selectors.EVENT_READ, number)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for sock in self._sockets:
            sock.close()

    def ask(self, names: Iterable[str]) -> None:
        """Each name once, again where no answer comes; ends when all have their answer or were given up."""
        self._waiting.extend((name, 1) for name in names)
        self._due = time.monotonic()
        while self._waiting or self._open:
            self._send_due()
            self._receive()
            self._give_up_on_old()

    def _send_due(self) -> None:
        now = time.monotonic()
        self._due = max(self._due, now - SLACK)
        while self._waiting and self._due <= now and len(self._open) < self._most:
            self._send(*self._waiting.popleft())
            self._due += 1 / self._rate

    def _send(self, name: str, attempt: int) -> None:
        number, asked = self._dice.randrange(SOCKETS), question(name)
        while (key := (number, self._dice.randrange(1 << 16))) in self._open:
            pass
        self._open[key] = _Open(name, asked, attempt, time.monotonic())
        self.account.datagrams += 1
        self.account.again += attempt > 1
        try:
            self._sockets[number].send(HEADER.pack(key[1], 0x0100, 1, 0, 0, 0) + asked)
        except OSError:  # a full buffer: asked again in its time
            pass

    def _receive(self) -> None:
        pause = self._due - time.monotonic() if self._waiting else PATIENCE / 10
        for key, _ in self._selector.select(min(max(pause, 0.002), PATIENCE / 10)):
            self._drain(key.data)

    def _drain(self, number: int) -> None:
        while True:
            try:
                data = self._sockets[number].recv(4096)
            except OSError:
                return
            self._settle(number, data)

    def _settle(self, number: int, data: bytes) -> None:
        key = (number, int.from_bytes(data[:2]))
        open_one = self._open.get(key)
        if open_one is None or not data.startswith(open_one.question, HEADER.size):
            return
        del self._open[key]
        rcode = data[3] & 15
        self.account.rcodes[RCODES.get(rcode, f"RCODE{rcode}")] += 1
        self._answered()

    def _give_up_on_old(self) -> None:
        oldest = time.monotonic() - PATIENCE
        for key in [key for key, each in self._open.items() if each.sent < oldest]:
            lost = self._open.pop(key)
            if lost.attempt < ATTEMPTS:
                self._waiting.appendleft((lost.name, lost.attempt + 1))
            else:
                self.account.unanswered.append(lost.name)
                self._answered()
