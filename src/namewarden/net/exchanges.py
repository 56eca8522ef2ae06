"""Questions on their way to an upstream, and what is common to how they are asked.

Counterparts: `upstream_udp.py` and `upstream_tcp.py`, transports of them; `abilities.py`, which says what an answer is
worth; `upstreams.py`, which waits.
"""

import time
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Container
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from namewarden.net.abilities import Abilities, Asked
from namewarden.net.deadlines import Deadlines
from namewarden.query import Answer, Query
from namewarden.wire.errors import Unreadable, UpstreamError, WireError
from namewarden.wire.message import PAIR, TC
from namewarden.wire.received import receive

RESEND_AFTER = 0.3  # seconds at least until a question is asked once more: one datagram may be lost


class Exchange:
    """One question to one server; `future` ends with an Answer, an UpstreamError, or is cancelled."""

    __slots__ = ("asked", "future", "late", "left", "pause")

    def __init__(self, asked: Asked, future: "Future[Answer]", pause: float, left: float) -> None:
        self.asked = asked
        self.future = future
        self.pause = pause  # seconds after which it is late
        self.left = left  # to go on waiting then
        self.late: Late | None = None  # told when the server keeps us waiting

    def end(self, outcome: Answer | UpstreamError) -> None:
        if self.future.done():
            return
        if isinstance(outcome, UpstreamError):
            self.future.set_exception(outcome)
            self.future.exception()  # a probe's failure is nobody's surprise
        else:
            self.future.set_result(outcome)


Late = Callable[[Exchange], None]


class Endpoint(Struct, frozen=True):
    """To one server: its name, family and address, the UDP size offered, dice and clock, what it can."""

    name: str
    address: tuple[int, tuple[Any, ...]]
    payload: int
    draw: Callable[[], int]  # 16 bits that nobody can guess
    clock: Callable[[], float] = time.monotonic
    abilities: Abilities = field(default_factory=Abilities)


Kind = TypeVar("Kind", bound=Exchange)


class Transport(Generic[Kind]):
    """Asks one server; nothing blocks."""

    exchange: type[Kind]
    over_tcp: bool
    is_patient: bool  # a question may be asked more than once again
    _send: Callable[[Kind], None]
    _send_again: Callable[[Kind], None]
    _finish: Callable[[Kind], None]  # nothing more is expected for it

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.name
        self.family, self.address = endpoint.address
        self.payload = endpoint.payload
        self.draw = endpoint.draw
        self.clock = endpoint.clock
        self.abilities = endpoint.abilities
        self.wrong = 0  # messages that answered nothing we asked
        self._loop: AbstractEventLoop
        self._deadlines: Deadlines[Kind]

    def start(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._deadlines = Deadlines(loop, self._due)

    def begin(
        self, query: Query, seconds: float, usual: float = 0.0, form: int | None = None,
        late: Late | None = None,
    ) -> "Future[Answer]":  # fmt: skip
        """Ask, in this form or that of all, and once more after a while, by what is `usual`: seconds to an answer. The
        future ends within `seconds`."""
        pause = min(max(RESEND_AFTER, min(4 * usual, seconds / 2)), seconds)
        asked = self.abilities.asked(query, form)
        exchange = self.exchange(asked, self._loop.create_future(), pause, seconds - pause)
        exchange.late = late
        self._send(exchange)
        self._deadlines.add(exchange, pause)
        return exchange.future

    def _due(self, exchange: Kind) -> None:
        """Ask once more, or give up. What was answered, or whose asker went, is only cleared up."""
        if exchange.future.done():
            self._finish(exchange)
        elif doubtful := self.abilities.miss(exchange.asked):
            exchange.end(doubtful)
            self._finish(exchange)
        elif exchange.left > 0:
            wait = min(exchange.pause, exchange.left) if self.is_patient else exchange.left
            exchange.left -= wait
            self._deadlines.add(exchange, wait)
            self._send_again(exchange)
            if exchange.late is not None:
                exchange.late(exchange)
                exchange.late = None
        else:
            self._give_up(exchange)

    def _give_up(self, exchange: Kind) -> None:
        exchange.end(UpstreamError("timeout", 22))
        self._finish(exchange)

    def _message(self, exchange: Kind, ident: int) -> bytes:
        return self.abilities.message(exchange.asked, ident, self.payload)

    def _read_answer(self, exchange: Kind, data: bytes) -> Answer | UpstreamError | None:
        """What a message with its id is worth to a question; None: nothing, and waiting goes on.

        Class, type and name must be those asked (CVE-2008-1447 and its heirs); the socket saw to the address.
        """
        asked = exchange.asked
        try:
            answer = receive(data, asked.query.question, self.clock(), self.name)
        except Unreadable as error:
            if not self.over_tcp and _is_cut(data):
                return Answer(0, tc=True, upstream=self.name)
            return self.abilities.unreadable(asked, data, error.reason)
        except WireError:
            return self.abilities.bare(asked, data)
        return self.abilities.judge(asked, data, answer, self.over_tcp)

    @property
    def faults(self) -> int:
        """Questions whose deadline met a bug here."""
        return self._deadlines.faults


def _is_cut(data: bytes) -> bool:
    """Some servers cut a truncated answer in mid-record: its header is all that is needed."""
    return bool(PAIR.unpack_from(data)[1] & TC)


def free_id(waiting: Container[int], draw: Callable[[], int]) -> int:
    """A random id that nobody waits for on this socket."""
    ident = draw()
    while ident in waiting:
        ident = draw()
    return ident
