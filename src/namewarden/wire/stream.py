"""DNS in a byte stream, for both ends: octets in, messages out, and the other way round (RFC 1035 §4.2.2, RFC 7766).

No socket and no clock: `now` comes in with what happens. A stream says what it wants next (`wants_data`, `unsent`) and
when it wants to be checked (`wake`). Counterparts: `net/connection.py` carries a `ServerStream`, `net/upstream_tcp.py`
a `ClientStream`.
"""

from collections import deque
from typing import Generic, Literal, TypeVar

from msgspec import Struct

from namewarden.wire.errors import WireError

LENGTH = 2  # octets of length before each message
LARGEST = 65_535
DEAF = 3  # questions that timed out since the last octet
QUIET = 1.0  # seconds since it, or since the first question after it: some are asked with little time left

Waiter = TypeVar("Waiter")


def frame(message: bytes) -> bytes:
    """The message behind its length."""
    return len(message).to_bytes(LENGTH) + message


class Framing:
    """Feed it what arrived, take whole messages. Holds at most one unfinished message."""

    __slots__ = ("_held", "_largest", "too_large")

    def __init__(self, largest: int = LARGEST) -> None:
        self._held = bytearray()
        self._largest = largest
        self.too_large = False  # one is announced that may not be so large: the end of the stream

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are now whole, in order; empty ones too: the caller says what they are worth."""
        held = self._held
        held += data
        messages = []
        at = 0
        while len(held) - at >= LENGTH:
            size = held[at] << 8 | held[at + 1]
            if size > self._largest:
                self.too_large = True
                break
            end = at + LENGTH + size
            if end > len(held):
                break
            messages.append(bytes(held[at + LENGTH : end]))
            at = end
        del held[:at]
        return messages

    @property
    def is_within(self) -> bool:
        """Whether a message has begun and has not ended."""
        return bool(self._held)


class ServerLimits(Struct, frozen=True):
    """What one client can make its stream hold, and for how long."""

    idle: float = 10.0  # seconds between messages, for one to be whole, for all answers to be taken
    pipelined: int = 32  # queries in flight
    unsent: int = 256 * 1024  # octets of answers: four of the largest
    largest: int = LARGEST  # octets of a query


class ServerStream:
    """The server's end: queries in the order they came, answers in the order they are ready.

    While too much is in flight or unsent, no data is wanted: a client that does not read its answers fills its own
    buffers, not ours.
    """

    __slots__ = (
        "_framing", "_has_ended", "_in_flight", "_limits", "_queries", "unsent", "wake",
    )  # fmt: skip

    def __init__(self, limits: ServerLimits, now: float) -> None:
        self._limits = limits
        self._framing = Framing(limits.largest)
        self._queries: deque[bytes] = deque()  # whole, and not in flight yet
        self._in_flight = 0
        self._has_ended = False
        self.unsent = bytearray()
        self.wake = now + limits.idle

    def receive(self, data: bytes, now: float) -> None:
        """What the client sent."""
        if messages := self._framing.feed(data):
            self._queries += messages
            self._extend(now)

    def end(self) -> None:
        """No more data: the client said so, or we stop. What is whole is still answered."""
        self._has_ended = True

    def next_query(self) -> bytes | None:
        """A query that is in flight from now on; None while there is none or no room for it.

        WireError: what comes now is larger than allowed, and the stream is over.
        """
        if not self._queries and self._framing.too_large:
            raise WireError("a message is too large")
        if not self._queries or not self._has_room():
            return None
        self._in_flight += 1
        return self._queries.popleft()

    def answer(self, message: bytes, now: float) -> None:
        """What one query in flight gets; b"" is silence."""
        self._in_flight -= 1
        if message:
            if not self.unsent:
                self._extend(now)
            self.unsent += frame(message)

    def sent(self, count: int, now: float) -> None:
        """So many octets of `unsent` have left."""
        del self.unsent[:count]
        if not self.unsent:
            self._extend(now)

    @property
    def wants_data(self) -> bool:
        return not self._has_ended and not self._queries and self._has_room()

    @property
    def is_done(self) -> bool:
        """Nothing comes any more, and nothing is due."""
        return self._has_ended and not (self._queries or self._in_flight or self.unsent)

    def check(self, now: float) -> Literal["", "idle", "slow"]:
        """At `wake`: "" to go on, or why it is over.

        A message must be whole, and all answers taken, `idle` seconds after the last time that was so: trickling
        octets buys nothing. Waiting for our own answer is no fault of the client's.
        """
        if now >= self.wake and self._in_flight and not self.unsent:
            self._extend(now)
        if now < self.wake:
            return ""
        return "slow" if self.unsent or self._framing.is_within else "idle"

    def _has_room(self) -> bool:
        return self._in_flight < self._limits.pipelined and len(self.unsent) < self._limits.unsent

    def _extend(self, now: float) -> None:
        self.wake = now + self._limits.idle


class ClientLimits(Struct, frozen=True):
    """What one server can make its stream hold, and how long nobody must ask for it to be idle."""

    idle: float = 10.0  # seconds; servers commonly close after 10 to 30
    waiting: int = 16_384  # questions
    unsent: int = 1 << 20  # octets a server that does not read may make us hold


class ClientStream(Generic[Waiter]):
    """The client's end: questions, each with an id of its own, and who waits for the answer, in any order."""

    __slots__ = (
        "_framing", "_limits", "_quiet_since", "_timeouts", "unsent", "waiting", "wake",
    )  # fmt: skip

    def __init__(self, limits: ClientLimits, now: float) -> None:
        self._limits = limits
        self._framing = Framing()
        self._quiet_since = now
        self._timeouts = 0  # since the last octet
        self.waiting: dict[int, Waiter] = {}
        self.unsent = bytearray()
        self.wake = now + limits.idle

    @property
    def is_full(self) -> bool:
        return len(self.waiting) >= self._limits.waiting or len(self.unsent) > self._limits.unsent

    def ask(self, ident: int, waiter: Waiter, message: bytes, now: float) -> None:
        """A question with an id that nobody waits for."""
        if not self.waiting and not self._timeouts:
            self._quiet_since = now  # while nobody asked, silence said nothing
        self.waiting[ident] = waiter
        self.unsent += frame(message)

    def sent(self, count: int) -> None:
        """So many octets of `unsent` have left."""
        del self.unsent[:count]

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """What the server sent, as messages. Whoever matches them with `waiting` takes them out there."""
        self._quiet_since = now
        self._timeouts = 0
        return self._framing.feed(data)

    def finish(self, ident: int, waiter: Waiter, now: float) -> None:
        """This one waits no more, however it ended."""
        if self.waiting.get(ident) is waiter:
            del self.waiting[ident]
        if not self.waiting:
            self.wake = now + self._limits.idle

    def time_out(self, now: float) -> bool:
        """A question got no answer in all its time. True: the stream is deaf and must be replaced.

        Some servers, and more of the boxes before them, forget a connection without a word; our questions then
        vanish for as long as the kernel sends them again, which is a quarter of an hour.
        """
        self._timeouts += 1
        return self._timeouts >= DEAF and now - self._quiet_since >= QUIET

    def is_idle(self, now: float) -> bool:
        return not self.waiting and now >= self.wake
