"""The TCP listener takes whom it can, turns away the rest, and is the same after every hostile stream."""

import asyncio
import socket
import time

import dns.asyncquery
import dns.message
import dns.rcode

from namewarden.net.listener import GRACE
from namewarden.stages.forward import forward
from tests import hostile
from tests.net.asking import upstreams
from tests.net.listeners import Handler, client, frame_of, framed, receive, tcp_listener


async def answers(port):
    async with client(port) as (reader, writer):
        writer.write(framed("www.example.org", 9))
        data = await receive(reader)
        return bool(data) and dns.message.from_wire(data).id == 9


async def test_a_real_answer_of_more_than_a_datagram_comes_through(resolver):
    async with upstreams(resolver.url) as made:
        async with tcp_listener(forward(made.ask)) as (_, port, _):
            query = dns.message.make_query("long.example.org", "TXT", use_edns=0)
            said = await dns.asyncquery.tcp(query, "127.0.0.1", port=port, timeout=5)
            assert len(said.answer[0]) == 20


async def test_connections_are_limited_for_a_client_and_taken_again():
    async with tcp_listener(per_client=3) as (listener, port, counts):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert not await answers(port)
        assert counts.refused == 1 and listener.open_connections == 3
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        assert await answers(port)


async def test_connections_are_limited_in_all():
    async with tcp_listener(per_client=100, connections=5) as (listener, port, counts):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        await asyncio.sleep(0.05)
        assert (listener.open_connections, counts.refused, counts.connections) == (5, 3, 5)
        for _, writer in held:
            writer.close()


async def test_stopping_closes_every_connection():
    async with tcp_listener() as (listener, port, _):
        async with client(port) as (reader, _):
            await asyncio.sleep(0.02)
            await listener.stop()
            assert listener.open_connections == 0 and await reader.read() == b""


async def test_stopping_answers_what_has_come_by_now():
    async with tcp_listener() as (listener, port, _):
        with socket.create_connection(("127.0.0.1", port), timeout=2) as asking:
            await asyncio.sleep(0.05)
            asking.sendall(framed("www.example.org", 7))  # and the loop has not turned
            await listener.stop()
            assert dns.message.from_wire(asking.recv(4096)[2:]).id == 7


async def test_stopping_lets_what_is_in_flight_be_answered_and_takes_no_more():
    handler = Handler()
    async with tcp_listener(handler) as (listener, port, counts), client(port) as (reader, writer):
        writer.write(framed("slow.example.org", 1))
        await asyncio.sleep(0.05)
        stopping = asyncio.ensure_future(listener.stop())
        await asyncio.sleep(0.05)
        writer.write(framed("late.example.org", 2))
        handler.gate.set()
        assert dns.message.from_wire(await receive(reader)).id == 1
        assert await receive(reader) == b""
        await stopping
        assert listener.open_connections == 0 and (counts.queries, counts.cut) == (1, 0)


async def test_stopping_waits_no_longer_than_its_grace():
    async with tcp_listener(Handler()) as (listener, port, counts), client(port) as (_, writer):
        writer.write(framed("slow.example.org", 1))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await listener.stop()
        assert GRACE - 0.1 < time.monotonic() - began < GRACE + 1
        assert listener.open_connections == 0 and counts.cut == 1


async def test_hostile_streams_end_in_answers_formerr_or_silence():
    async with tcp_listener(idle=0.3, per_client=1000, connections=1000) as (
        listener,
        port,
        counts,
    ):

        async def send(label, chunks):
            async with client(port) as (reader, writer):
                for chunk in chunks:
                    writer.write(chunk)
                    await asyncio.sleep(0)
                while data := await receive(reader):
                    assert data[2] & 0x80, label
                    rcode = dns.rcode.from_flags(int.from_bytes(data[2:4]), 0)
                    assert rcode in (0, 1, 4), label

        streams = list(hostile.streams())
        for start in range(0, len(streams), 100):
            await asyncio.gather(*(send(*stream) for stream in streams[start : start + 100]))
        await asyncio.sleep(0.05)
        assert listener.open_connections == 0
        assert counts.malformed > 100 and counts.cut > 5
        assert await answers(port)


async def test_what_is_malformed_is_answered_within_the_rate():
    rate = iter([0, 1, 2])
    async with tcp_listener(admit=lambda ip, now: next(rate)) as (_, port, counts):
        async with client(port) as (reader, writer):
            status = b"\x10\0\0\1\0\0\0\0\0\0\1a\0\0\1\0\1"
            for number in range(3):
                writer.write(frame_of(number.to_bytes(2) + status))
            writer.write(framed("www.example.org", 9))
            said = [dns.message.from_wire(await receive(reader)) for _ in range(2)]
            assert [(one.id, one.rcode()) for one in said] == [(0, dns.rcode.NOTIMP), (9, 0)]
            assert (counts.malformed, counts.limited) == (3, 2)
