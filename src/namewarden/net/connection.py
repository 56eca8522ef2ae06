"""One client's connection: carries a `ServerStream` (`wire/stream.py`) over a socket, queries to `ask`, answers back.

It ends by itself; an error of ours ends it and nothing else. Counterpart: `tcp.py`, which accepts.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import structlog

from namewarden.net.listener import Ask
from namewarden.query import Answer, Query
from namewarden.wire.answers import to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.message import read_query
from namewarden.wire.stream import LARGEST, ServerLimits, ServerStream

CHUNK = 4096  # octets of one wake-up: some hundred queries at most, so that others get their turn

log = structlog.get_logger("connection")


class ByteStream(Protocol):
    """A connected, non-blocking socket, or what speaks as one does: BlockingIOError where it would wait."""

    def fileno(self) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: bytearray, /) -> int: ...
    def close(self) -> None: ...


@dataclass
class TcpCounts:
    """What a listener and its connections have seen since it was opened."""

    connections: int = 0
    refused: int = 0  # connections above a limit
    queries: int = 0
    malformed: int = 0
    limited: int = 0  # malformed ones above their prefix's rate: they get nothing
    cut: int = 0  # connections ended by us: too slow, or not DNS
    faults: int = 0  # connections ended by an error of ours


@dataclass(frozen=True)
class Serving:
    """What the connections of one listener share."""

    ask: Ask
    limits: ServerLimits = field(default_factory=ServerLimits)
    counts: TcpCounts = field(default_factory=TcpCounts)
    transport: str = "tcp"  # as queries and events name it
    admit: Callable[[str, float], int] = lambda client, now: (
        0
    )  # 0: the client may get an answer now


class Connection:
    """`start` it; it ends by itself and says so to `gone`, once."""

    def __init__(
        self,
        sock: ByteStream,
        client: str,
        serving: Serving,
        gone: Callable[["Connection"], None],
    ) -> None:
        self.client = client
        self._sock = sock
        self._serving = serving
        self._gone = gone
        self._stream = ServerStream(serving.limits, time.monotonic())
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._is_reading = self._is_writing = self._is_working = self._is_closed = False

    def start(self) -> None:
        self._check()
        self._guarded(self._work)

    def end(self) -> None:
        """Read what has come by now, and no more; close when the last answer has left."""
        if self._is_reading:
            self._guarded(self._readable)
        self._stream.end()
        self._guarded(self._work)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._watch(False, False)
        if self._timer is not None:
            self._timer.cancel()
        self._sock.close()
        self._gone(self)

    def cut(self) -> None:
        """End it from our side."""
        self._serving.counts.cut += 1
        self.close()

    def _guarded(self, step: Callable[..., None], *given: Any) -> None:
        """Whatever goes wrong here is this connection's end: the loop and the other clients go on."""
        if self._is_closed:
            return
        try:
            step(*given)
        except OSError:
            self.close()  # the client has gone
        except Exception:
            self._serving.counts.faults += 1
            log.exception("fault", client=self.client)
            self.close()

    def _check(self) -> None:
        now = time.monotonic()
        ending = self._stream.check(now)
        if not ending:
            self._timer = self._loop.call_later(self._stream.wake - now, self._check)
        elif ending == "slow":
            self.cut()
        else:
            self.close()

    def _readable(self) -> None:
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return
        if not data:
            self._stream.end()
        self._stream.receive(data, time.monotonic())
        self._work()

    def _work(self) -> None:
        """Ask and send what can be asked and sent now, then wait for the right thing."""
        if self._is_working:
            return  # an answer that came at once: it leaves with the others
        self._is_working = True
        self._ask_all()
        while self._stream.unsent and self._send():
            self._ask_all()
        self._is_working = False
        if self._is_closed:
            return
        if self._stream.is_done:
            self.close()
        else:
            self._watch(self._stream.wants_data, bool(self._stream.unsent))

    def _ask_all(self) -> None:
        serving, now = self._serving, time.monotonic()
        while not self._is_closed:
            try:
                if (data := self._stream.next_query()) is None:
                    return
                query = read_query(data, self.client, serving.transport, now)
            except WireError as error:
                self._refuse(error.reply, now)
                continue
            serving.counts.queries += 1
            serving.ask(query, partial(self._guarded, self._answered, query))

    def _refuse(self, reply: bytes | None, now: float) -> None:
        """Send the error; where there is none, it was no query at all, and the stream is not DNS."""
        self._serving.counts.malformed += 1
        if reply is not None:
            is_limited = self._serving.admit(self.client, now) != 0
            self._serving.counts.limited += is_limited
            self._stream.answer(b"" if is_limited else reply, now)
            return
        if self._stream.unsent:
            self._send()
        self.cut()

    def _answered(self, query: Query, answer: Answer) -> None:
        now = time.monotonic()
        message = b"" if answer.silent else to_wire(query, answer, now, LARGEST)
        self._stream.answer(message, now)
        self._work()

    def _send(self) -> bool:
        """Whether all of it left: if not, the client must take it first."""
        if self._is_closed:
            return False
        try:
            sent = self._sock.send(self._stream.unsent)
        except (BlockingIOError, InterruptedError):
            return False
        self._stream.sent(sent, time.monotonic())
        return not self._stream.unsent

    def _watch(self, reading: bool, writing: bool) -> None:
        if reading != self._is_reading:
            self._is_reading = reading
            if reading:
                self._loop.add_reader(self._sock, self._guarded, self._readable)
            else:
                self._loop.remove_reader(self._sock)
        if writing != self._is_writing:
            self._is_writing = writing
            if writing:
                self._loop.add_writer(self._sock, self._guarded, self._work)
            else:
                self._loop.remove_writer(self._sock)
