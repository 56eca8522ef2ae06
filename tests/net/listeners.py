"""A TCP listener on loopback, and clients of it."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import dns.message

from namewarden.net import eager
from namewarden.net.connection import Serving
from namewarden.net.tcp import TcpLimits, TcpListener
from namewarden.query import Answer
from namewarden.wire.message import read_answer, write_query
from namewarden.wire.stream import ServerLimits
from tests import lying_upstream as lies


class Handler:
    """Answers at once; names that begin with `slow` when the gate opens, `silent` never, `big` at length."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.in_flight = self.most = self.asked = 0

    async def __call__(self, query):
        self.asked += 1
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        try:
            if query.name.startswith("slow"):
                await self.gate.wait()
        finally:
            self.in_flight -= 1
        if "broken" in query.name:
            return Answer(0, counts=(-1, 0, 0))  # a bug: it cannot be written
        if query.name.startswith("silent"):
            return Answer(0, silent=True)
        if query.name.startswith("big"):
            return Answer(0, b"\0\0\x10\0\1\0\0\0\0\xea\x60" + b"\xff" + bytes(59_999), (1, 0, 0))
        return read_answer(lies.reply(write_query(query, 1, 1232)), query.question, query.now)


@asynccontextmanager
async def tcp_listener(handler=None, **limits):
    """(listener, port, counts)."""
    handler = handler or Handler()
    waiting = set()

    def ask(query, answered):
        eager.run(handler(query), answered, waiting)

    bound = socket.create_server(("127.0.0.1", 0))
    admit = limits.pop("admit", lambda client, now: 0)
    serving = Serving(ask, ServerLimits(idle=limits.pop("idle", 10.0)), admit=admit)
    allowed = limits.pop("is_allowed", lambda ip: True)
    listener = TcpListener(bound, serving, TcpLimits(allowed, **limits))
    await listener.start()
    try:
        yield listener, bound.getsockname()[1], serving.counts
    finally:
        await asyncio.gather(listener.stop(), eager.end(waiting, grace=0))
        bound.close()


@asynccontextmanager
async def client(port):
    """(reader, writer) of a connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def framed(name, number=1, qtype="A"):
    return frame_of(dns.message.make_query(name, qtype, id=number, use_edns=0).to_wire())


def frame_of(data):
    return len(data).to_bytes(2) + data


async def receive(reader, seconds=5.0):
    """One framed message's octets; b"" at the end of the stream."""
    async with asyncio.timeout(seconds):
        try:
            return await reader.readexactly(int.from_bytes(await reader.readexactly(2)))
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
