"""One client's stream: pipelined, out of order, bounded in what it can hold and for how long."""

import asyncio
import time

import dns.message

from namewarden.wire.stream import ServerLimits
from tests.hostile import PLAIN
from tests.net.listeners import Handler, client, frame_of, framed, receive, tcp_listener


async def test_pipelined_queries_are_answered_as_they_are_ready():
    handler = Handler()
    async with tcp_listener(handler) as (_, port, _), client(port) as (reader, writer):
        writer.write(
            framed("slow.example.org", 1) + framed("a.example.org", 2) + framed("b.test", 3)
        )
        first = [dns.message.from_wire(await receive(reader)).id for _ in range(2)]
        handler.gate.set()
        assert [*first, dns.message.from_wire(await receive(reader)).id] == [2, 3, 1]


async def test_queries_in_flight_are_bounded_and_the_rest_waits_its_turn():
    handler = Handler()
    async with tcp_listener(handler) as (_, port, counts), client(port) as (reader, writer):
        writer.write(b"".join(framed(f"slow{n}.example.org", n) for n in range(200)))
        await asyncio.sleep(0.1)
        assert handler.most == handler.in_flight == ServerLimits().pipelined
        handler.gate.set()
        seen = {dns.message.from_wire(await receive(reader)).id for _ in range(200)}
        assert (
            len(seen) == 200 and handler.most <= ServerLimits().pipelined and counts.queries == 200
        )


async def test_a_half_closed_stream_gets_its_answers():
    handler = Handler()
    async with tcp_listener(handler) as (listener, port, _), client(port) as (reader, writer):
        writer.write(framed("slow.example.org", 1) + framed("a.example.org", 2))
        writer.write_eof()
        assert await receive(reader)
        handler.gate.set()
        assert await receive(reader)
        assert await receive(reader) == b"" and listener.open_connections == 0


async def test_an_idle_stream_is_closed_and_a_busy_one_is_not():
    handler = Handler()
    async with (
        tcp_listener(handler, idle=0.2) as (_, port, counts),
        client(port) as (reader, writer),
    ):
        for _ in range(4):
            await asyncio.sleep(0.1)
            writer.write(framed("www.example.org"))
            assert await receive(reader)
        writer.write(framed("slow.example.org"))
        await asyncio.sleep(0.5)
        handler.gate.set()
        assert await receive(reader)
        began = time.monotonic()
        assert await receive(reader) == b""
        assert time.monotonic() - began < 0.4 and counts.cut == 0


async def test_a_slow_sender_is_cut_however_it_trickles():
    async with tcp_listener(idle=0.3) as (_, port, counts), client(port) as (reader, writer):
        began = time.monotonic()
        for octet in frame_of(PLAIN * 3):
            writer.write(bytes((octet,)))
            await asyncio.sleep(0.04)
            if reader.at_eof():
                break
        assert time.monotonic() - began < 1.0 and counts.cut == 1


async def test_a_client_that_does_not_read_holds_little_and_is_cut():
    handler = Handler()
    async with (
        tcp_listener(handler, idle=0.3) as (listener, port, counts),
        client(port) as (_, writer),
    ):
        writer.transport.pause_reading()
        queries = b"".join(framed(f"big{n}.example.org", n) for n in range(2000))
        writer.write(queries)
        await asyncio.sleep(0.2)
        [connection] = listener._open
        assert len(connection._stream.unsent) <= ServerLimits().unsent + 65_537
        assert handler.asked < 200
        await asyncio.sleep(0.4)
        assert counts.cut == 1 and listener.open_connections == 0


async def test_a_malformed_query_gets_formerr_and_the_stream_goes_on():
    async with tcp_listener() as (_, port, counts), client(port) as (reader, writer):
        writer.write(frame_of(PLAIN + b"junk") + framed("www.example.org", 5))
        assert (await receive(reader))[3] & 15 == 1
        assert dns.message.from_wire(await receive(reader)).id == 5
        assert (counts.malformed, counts.queries) == (1, 1)


async def test_what_is_not_dns_ends_the_stream():
    async with tcp_listener() as (_, port, counts), client(port) as (reader, writer):
        writer.write(frame_of(b"GET /"))
        assert await receive(reader) == b"" and counts.cut == 1


async def test_silence_is_silence_and_a_client_that_left_harms_nobody():
    handler = Handler()
    async with tcp_listener(handler) as (listener, port, _):
        async with client(port) as (reader, writer):
            writer.write(framed("silent.example.org", 1) + framed("a.example.org", 2))
            assert dns.message.from_wire(await receive(reader)).id == 2
            writer.write(framed("slow.example.org", 3))
            await asyncio.sleep(0.02)
            writer.transport.abort()
        await asyncio.sleep(0.02)
        handler.gate.set()
        await asyncio.sleep(0.02)
        assert listener.open_connections == 0 and handler.in_flight == 0


async def test_an_error_of_ours_behind_an_answer_ends_its_connection_and_nothing_else():
    handler = Handler()
    async with tcp_listener(handler) as (listener, port, counts):
        async with client(port) as (reader, writer):
            writer.write(framed("broken.example.org"))
            assert await receive(reader) == b"" and counts.faults == 1
        async with client(port) as (reader, writer), client(port) as (other, _):
            writer.write(framed("slow-broken.example.org"))
            await asyncio.sleep(0.05)
            handler.gate.set()
            assert await receive(reader) == b"" and counts.faults == 2
            assert listener.open_connections == 1 and not other.at_eof()


async def test_good_answers_leave_before_what_is_not_dns_ends_the_stream():
    async with tcp_listener() as (_, port, counts), client(port) as (reader, writer):
        writer.write(framed("www.example.org", 5) + frame_of(b"GET /"))
        assert dns.message.from_wire(await receive(reader)).id == 5
        assert await receive(reader) == b"" and counts.cut == 1
