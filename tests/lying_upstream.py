"""A small DNS server on loopback that lies on demand, for the faults that a real server cannot be made to show.

Its truth is `A 192.0.2.99` for every name. A behaviour says what is sent for one query: a list of
`Shot`s, each some bytes after some seconds, from the port asked or from another one.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

TRUTH = bytes((192, 0, 2, 99))
LIE = bytes((203, 0, 113, 66))


class Shot(NamedTuple):
    data: bytes
    after: float = 0.0
    elsewhere: bool = False  # from another port than the one asked


Behaviour = Callable[[bytes], list[Shot]]


def question_of(query: bytes) -> bytes:
    end = 12
    while query[end]:
        end += query[end] + 1
    return query[12 : end + 5]


def reply(query: bytes, address: bytes = TRUTH, flags: int = 0x8180, ttl: int = 60) -> bytes:
    """A right answer, or one with another address."""
    record = b"\xc0\x0c\x00\x01\x00\x01" + ttl.to_bytes(4, "big") + b"\x00\x04" + address
    head = query[:2] + flags.to_bytes(2, "big") + b"\0\1\0\1\0\0\0\0"
    return head + question_of(query) + record


def failure(query: bytes, rcode: int) -> bytes:
    return query[:2] + bytes((0x81, 0x80 | rcode)) + b"\0\1\0\0\0\0\0\0" + question_of(query)


def honest(query: bytes) -> list[Shot]:
    return [Shot(reply(query))]


def silent(_query: bytes) -> list[Shot]:
    return []


def garbage(query: bytes) -> list[Shot]:
    return [Shot(query[:2] + b"\x81\x80" + b"\xff" * 40), Shot(b""), Shot(b"\x00")]


def wrong_id(query: bytes) -> list[Shot]:
    other = bytes((query[0] ^ 0x55, query[1]))
    return [Shot(other + reply(query, LIE)[2:])]


def wrong_question(query: bytes) -> list[Shot]:
    lie = bytearray(reply(query, LIE))
    lie[13] ^= 0x01
    return [Shot(bytes(lie))]


def wrong_type(query: bytes) -> list[Shot]:
    lie = bytearray(reply(query, LIE))
    lie[12 + len(question_of(query)) - 3] ^= 0x1C
    return [Shot(bytes(lie))]


def not_a_reply(query: bytes) -> list[Shot]:
    return [Shot(reply(query, LIE, flags=0x0100))]


def wrong_source(query: bytes) -> list[Shot]:
    return [Shot(reply(query, LIE), elsewhere=True)]


def truncating(query: bytes) -> list[Shot]:
    return [Shot(query[:2] + b"\x83\x80\0\1\0\0\0\0\0\0" + question_of(query))]


def twice(query: bytes) -> list[Shot]:
    return [Shot(reply(query)), Shot(reply(query, LIE))]


def servfail(query: bytes) -> list[Shot]:
    return [Shot(failure(query, 2))]


def refused(query: bytes) -> list[Shot]:
    return [Shot(failure(query, 5))]


def unreadable(query: bytes) -> list[Shot]:
    """An address of three octets."""
    return [Shot(reply(query)[:-6] + b"\0\3\1\2\3")]


def has_opt(query: bytes) -> bool:
    return query[11] == 1


def without_edns(refuse: Callable[[bytes], bytes]) -> Behaviour:
    """Answers what has no OPT; what has one as `refuse` does: b"" is silence."""

    def behave(query: bytes) -> list[Shot]:
        data = refuse(query) if has_opt(query) else reply(query)
        return [Shot(data)] if data else []

    return behave


def bare(query: bytes, rcode: int = 1) -> bytes:
    """A header alone."""
    return query[:2] + bytes((0x81, 0x80 | rcode)) + bytes(8)


def in_small_letters(query: bytes) -> list[Shot]:
    """As servers do that keep no case."""
    end = 12 + len(question_of(query)) - 4
    return [Shot(reply(query[:12] + query[12:end].lower() + query[end:]))]


def slow(seconds: float) -> Behaviour:
    return lambda query: [Shot(reply(query), after=seconds)]


def then_truth(lie: Behaviour, times: int = 10, after: float = 0.05) -> Behaviour:
    """Many lies, then the truth."""
    return lambda query: lie(query) * times + [Shot(reply(query), after=after)]


def deaf_after(count: int) -> Behaviour:
    """Answers `count` queries, then keeps the connection open and says no more on it."""
    answered = 0

    def behave(query: bytes) -> list[Shot]:
        nonlocal answered
        answered += 1
        return honest(query) if answered <= count else []

    return behave


class Liar:
    """`async with Liar(behaviour) as liar`: UDP and TCP on `liar.port`; `liar.asked` keeps what came in.

    The first TCP connection is served by `first_tcp` where that is given. Each is closed after `answers`, and at once
    while `room` others are open.
    """

    def __init__(
        self, udp: Behaviour = honest, tcp: Behaviour = honest, first_tcp: Behaviour | None = None,
        answers: int = 1 << 30, room: int = 1 << 30,
    ) -> None:  # fmt: skip
        self.udp, self.tcp = udp, tcp
        self.answers, self.room = answers, room
        self.most_open = 0
        self.first_tcp = first_tcp or tcp
        self.asked: list[bytes] = []
        self.asked_by_tcp: list[bytes] = []
        self.sources: list[tuple[str, int]] = []
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"udp://127.0.0.1:{self.port}"

    @property
    def tcp_url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def open_connections(self) -> int:
        return len(self._writers)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self._sock = self._socket(self.port)
        self._other = self._socket(0)
        self._loop.add_reader(self._sock, self._read_udp)
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._loop.remove_reader(self._sock)
        self._sock.close()
        self._other.close()
        self.hang_up()
        self._server.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def hang_up(self) -> None:
        """Close every TCP connection, as a server does with idle ones."""
        for writer in self._writers:
            writer.close()

    def _socket(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(("127.0.0.1", port))
        return sock

    def _read_udp(self) -> None:
        while True:
            try:
                query, source = self._sock.recvfrom(65535)
            except (BlockingIOError, ConnectionError):
                return
            self.asked.append(query)
            self.sources.append(source)
            for shot in self.udp(query):
                if shot.after:
                    self._loop.call_later(shot.after, self._send, shot, source)
                else:
                    self._send(shot, source)

    def _send(self, shot: Shot, source: tuple[str, int]) -> None:
        sock = self._other if shot.elsewhere else self._sock
        if sock.fileno() >= 0:
            sock.sendto(shot.data, source)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behave = self.tcp if self.connections else self.first_tcp
        self.connections += 1
        if len(self._writers) >= self.room:
            writer.close()
            return
        self._writers.add(writer)
        self.most_open = max(self.most_open, len(self._writers))
        try:
            for _ in range(self.answers):
                query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
                self.asked_by_tcp.append(query)
                for shot in behave(query):
                    await asyncio.sleep(shot.after)
                    writer.write(len(shot.data).to_bytes(2, "big") + shot.data)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()


@contextmanager
def lying(liar: Liar) -> Iterator[Liar]:
    """It, serving from a thread of its own."""
    ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with liar:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(5)
        yield liar
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(5)
        loop.close()
