"""Questions on their way to an upstream, and the one check that an answer is theirs.

Counterparts: `upstream_udp.py` and `upstream_tcp.py`, transports of them; `upstreams.py`, which waits.
"""

import os
from asyncio import AbstractEventLoop, Future, TimerHandle
from collections.abc import Callable, Container, Iterator, MutableMapping
from typing import Any

from msgspec import Struct

from namewarden.query import Answer, Query
from namewarden.wire.errors import UpstreamError, WireError
from namewarden.wire.message import PAIR, QR, TC, same_question
from namewarden.wire.received import receive

PAGE = 4096  # octets


class Exchange:
    """One question to one server; `future` ends with an Answer, an UpstreamError, or is cancelled."""

    __slots__ = ("future", "ident", "query", "retried", "timer")

    def __init__(self, query: Query, future: "Future[Answer]") -> None:
        self.query = query
        self.future = future
        self.ident = -1  # on the one connection it waits on
        self.retried = False
        self.timer: TimerHandle | None = None

    def fail(self, error: UpstreamError) -> None:
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # a probe's failure is nobody's surprise

    def expire(self) -> None:
        self.fail(UpstreamError("timeout", 22))


class Endpoint(Struct, frozen=True):
    """To one server: its name, family and address, the UDP size offered, dice and clock."""

    name: str
    address: tuple[int, tuple[Any, ...]]
    payload: int
    draw: Callable[[], int]  # 16 bits that nobody can guess
    clock: Callable[[], float]


class Transport:
    """Asks one server; the `begin` of each kind never blocks."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.name = endpoint.name
        self.family, self.address = endpoint.address
        self.payload = endpoint.payload
        self.draw = endpoint.draw
        self.clock = endpoint.clock
        self.wrong = 0  # messages that answered nothing we asked
        self._loop: AbstractEventLoop

    def start(self, loop: AbstractEventLoop) -> None:
        self._loop = loop


def open_exchange(
    loop: AbstractEventLoop, query: Query, finished: Callable[[Exchange], None]
) -> Exchange:
    """An exchange that is cleared up by `finished` however it ends."""
    exchange = Exchange(query, loop.create_future())
    exchange.future.add_done_callback(lambda _: _ended(exchange, finished))
    return exchange


def _ended(exchange: Exchange, finished: Callable[[Exchange], None]) -> None:
    if exchange.timer is not None:
        exchange.timer.cancel()
    finished(exchange)


def settle(waiting: MutableMapping[int, Exchange], data: bytes, now: float) -> bool:
    """Give an answer to whom it belongs. False: nobody here asked that, so waiting goes on.

    Id, type, class and name must be those asked (CVE-2008-1447 and its heirs); the socket saw to the address.
    """
    exchange = waiting.get(int.from_bytes(data[:2])) if len(data) >= 12 else None
    if exchange is None:
        return False
    answer = answer_of(data, exchange.query.question, now)
    if answer is None:
        return False
    del waiting[int.from_bytes(data[:2])]
    if not exchange.future.done():
        exchange.future.set_result(answer)
    return True


def answer_of(data: bytes, question: bytes, now: float, upstream: str = "") -> Answer | None:
    """The answer to this very question, None when the message is none."""
    try:
        return receive(data, question, now, upstream)
    except WireError:
        return Answer(0, tc=True, upstream=upstream) if _is_cut(data, question) else None


def _is_cut(data: bytes, question: bytes) -> bool:
    """Some servers cut a truncated answer in mid-record: its header is all that is needed."""
    _, flags = PAIR.unpack_from(data)
    said = data[12 : 12 + len(question)]
    wanted = QR | TC
    return flags & wanted == wanted and len(said) == len(question) and same_question(said, question)


def free_id(waiting: Container[int], draw: Callable[[], int]) -> int:
    """A random id that nobody waits for on this socket."""
    ident = draw()
    while ident in waiting:
        ident = draw()
    return ident


def unguessable() -> Iterator[int]:
    """16 bits at a time of the system's random octets, fetched by the page: a call for each costs thirty times as much.

    The first page is fetched with the first number, so processes that fork before they ask share none.
    """
    while True:
        yield from memoryview(os.urandom(PAGE)).cast("H")
