"""The UDP door with real datagrams; the chain behind it is a two-line handler."""

import asyncio
import os
import socket
import struct

import dns.flags
import dns.message
import pytest

from namewarden.net import batch
from namewarden.net.udp import Seams, UdpDoor
from namewarden.query import Answer, Verdict
from namewarden.wire.answers import blocked


class Door:
    """A door on a free port, what its handler was asked and what it recorded."""

    def __init__(self, answer, **seams):
        self.asked, self.repeats, self.tasks = [], [], []
        self.answer = answer
        self.seams = Seams(
            handler=self.handle,
            spawn=lambda coroutine: self.tasks.append(asyncio.ensure_future(coroutine)),
            group_of=lambda ip: "default",
            is_limited=seams.pop("is_limited", lambda ip: False),
            admit=seams.pop("admit", lambda ip, now: 0),
            repeat=lambda query, answer, ip, time, count: self.repeats.append(count),
            limited=Answer(0, tc=True, status="LIMITED"),
            batch=lambda sock: batch.choose({}, sock),
            **seams,
        )
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("127.0.0.1", 0))
        self.bound, self.address = bound, bound.getsockname()
        self.door = UdpDoor(bound, self.seams)

    async def handle(self, query):
        self.asked.append(query)
        answer = self.answer(query)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def __aenter__(self):
        self.door.start()
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.setblocking(False)
        self.client.connect(self.address)
        return self

    async def __aexit__(self, *_):
        self.door.stop()
        for task in self.tasks:
            task.cancel()
        self.client.close()
        self.bound.close()

    async def ask(self, data):
        loop = asyncio.get_running_loop()
        self.client.send(data)
        return await asyncio.wait_for(loop.sock_recv(self.client, 65535), 5)


def deny(query):
    return blocked(query, Verdict("block", "list_deny", mode="null"))


def ask(name="bad.example.org", ident=7, **options):
    return dns.message.make_query(name, "A", id=ident, **options).to_wire()


async def test_a_repeat_is_answered_from_the_lane_with_its_own_id_and_counted():
    async with Door(deny) as door:
        replies = [dns.message.from_wire(await door.ask(ask(ident=n))) for n in (1, 2, 3, 4)]
        assert [reply.id for reply in replies] == [1, 2, 3, 4]
        assert all(reply.answer == replies[0].answer != [] for reply in replies)
        assert len(door.asked) == 2
    assert door.repeats == [2]


async def test_case_flags_and_size_are_part_of_the_question():
    async with Door(deny) as door:
        for data in (ask(), ask("BAD.example.org"), ask(use_edns=0), ask(want_dnssec=True)):
            reply = dns.message.from_wire(await door.ask(data))
            assert reply.question == dns.message.from_wire(data).question
        assert len(door.asked) == 4


async def test_a_new_policy_is_asked_anew():
    async with Door(deny) as door:
        for _ in range(3):
            await door.ask(ask())
        door.door.forget()
        await door.ask(ask())
        assert len(door.asked) == 3


async def test_ttls_count_down_in_the_lane():
    import time

    from namewarden.wire.records import encode

    body, ttls, _ = encode("bad.example.org.", [("bad.example.org.", "A", 100, "192.0.2.1")])

    def aged(query):
        return Answer(0, body, (1, 0, 0), ttls, 100, time.monotonic() - 30)

    async with Door(aged) as door:
        for _ in range(4):
            reply = dns.message.from_wire(await door.ask(ask()))
            assert 69 <= reply.answer[0].ttl <= 70
        assert len(door.asked) == 2


async def test_answers_that_wait_do_not_hold_up_others():
    async def later(query):
        await asyncio.sleep(0.05)
        return deny(query)

    def slow_first(query):
        return later(query) if query.id == 1 else deny(query)

    async with Door(slow_first) as door:
        door.client.send(ask("slow.example.org", 1))
        quick = await door.ask(ask("quick.example.org", 2))
        assert dns.message.from_wire(quick).id == 2
        slow = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(door.client, 512), 5)
        assert dns.message.from_wire(slow).id == 1


async def test_malformed_queries_get_formerr_and_responses_silence():
    async with Door(deny) as door:
        door.client.send(b"\0\x01\x80\0" + ask()[4:])
        reply = dns.message.from_wire(await door.ask(ask()[:-1]))
        assert reply.rcode() == 1 and door.asked == []
        assert door.seams.counts.malformed == 2


async def test_silence_and_overload_send_nothing_and_are_counted():
    async def never(query):
        await asyncio.sleep(60)

    def silent_or_never(query):
        return Answer(0, silent=True) if query.id == 1 else never(query)

    async with Door(silent_or_never, in_flight=1) as door:
        for ident in (1, 2, 3):
            door.client.send(ask(ident=ident))
        await asyncio.sleep(0.05)
        assert [query.id for query in door.asked] == [1, 2]
        assert door.seams.counts.overload == 1


async def test_a_limited_client_is_limited_in_the_lane_too():
    tokens = iter([0, 1, 2])
    async with Door(deny, is_limited=lambda ip: True, admit=lambda ip, now: next(tokens)) as door:
        for ident in (1, 2, 3):
            await door.ask(ask(ident=ident))
        door.client.send(ask(ident=4))
        truncated = dns.message.from_wire(await door.ask(ask(ident=5)))
        assert truncated.id == 5 and truncated.flags & dns.flags.TC and not truncated.answer
        assert door.seams.counts.limited == 2
    assert sorted(door.repeats) == [1, 2]


@pytest.mark.skipif(os.geteuid() != 0, reason="a forged source port needs root")
async def test_a_client_that_pretends_to_be_port_0_is_counted_and_forgotten():
    async with Door(deny) as door:
        forged = struct.pack("!HHHH", 0, door.address[1], 8 + len(ask()), 0) + ask()
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as forger:
            forger.sendto(forged, ("127.0.0.1", 0))
            forger.sendto(forged, ("127.0.0.1", 0))
        assert await door.ask(ask(ident=9))
        assert door.seams.counts.unsent == 2


async def test_a_crowd_makes_it_busy_for_a_moment():
    async with Door(deny) as door:
        assert not door.door.is_busy()
        for ident in range(20):
            door.client.send(ask(ident=ident))
        door.door._readable()
        assert door.door.is_busy()
        await asyncio.sleep(0.1)
        assert not door.door.is_busy()
