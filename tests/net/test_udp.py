"""The UDP listener with real datagrams; the chain behind it is a two-line handler."""

import asyncio
import os
import socket
import struct
import time

import dns.flags
import dns.message
import pytest

from namewarden.net import datagrams, eager
from namewarden.net.packet_cache import CacheRules, PacketCache
from namewarden.net.udp import TURN, UdpCounts, UdpListener, UdpServing
from namewarden.query import Answer, Verdict
from namewarden.stages.block import blocked
from namewarden.stages.limit import SILENCE, TRUNCATION
from namewarden.stages.record import repeated


class Listener:
    """A listener on a free port, what its handler was asked and what it recorded."""

    def __init__(self, answer, **options):
        self.asked, self.repeats, self.turned_away, self.waiting = [], [], [], set()
        self.answer = answer
        admit = options.pop("admit", lambda ip, now: 0)
        self.counts = counts = UdpCounts()
        cache = CacheRules(
            group_of=lambda ip: "default",
            is_allowed=lambda ip: True,
            is_limited=options.pop("is_limited", lambda ip: False),
            admit=admit,
            limited=(SILENCE, TRUNCATION),
            turned_away=lambda query, answer: self.turned_away.append(query),
            repeated=options.pop("repeated", lambda query, answer: repeated(query, answer, "resolver")),
            record_repeats=lambda folded: self.repeats.extend(folded.counts),
            counts=counts,
        )  # fmt: skip
        self.cache = PacketCache(cache, environ=options.pop("environ", {}))
        serving = UdpServing(
            handler=self.handle,
            waiting=self.waiting,
            cache=self.cache,
            admit=admit,
            share=options.pop("share", hash),
            batch=lambda sock: datagrams.choose({}, sock),
            counts=counts,
            **options,
        )
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("127.0.0.1", 0))
        self.bound, self.address = bound, bound.getsockname()
        self.listener = UdpListener(bound, serving)

    async def handle(self, query):
        self.asked.append(query)
        answer = self.answer(query)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def __aenter__(self):
        await self.listener.start()
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.setblocking(False)
        self.client.connect(self.address)
        return self

    async def __aexit__(self, *_):
        await asyncio.gather(self.listener.stop(), eager.end(self.waiting, grace=0))
        self.cache.flush()
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
    async with Listener(deny) as listener:
        replies = [dns.message.from_wire(await listener.ask(ask(ident=n))) for n in (1, 2, 3, 4)]
        assert [reply.id for reply in replies] == [1, 2, 3, 4]
        assert all(reply.answer == replies[0].answer != [] for reply in replies)
        assert len(listener.asked) == 2
    assert listener.repeats == [2]


async def test_case_flags_and_size_are_part_of_the_question():
    async with Listener(deny) as listener:
        for data in (ask(), ask("BAD.example.org"), ask(use_edns=0), ask(want_dnssec=True)):
            reply = dns.message.from_wire(await listener.ask(data))
            assert reply.question == dns.message.from_wire(data).question
        assert len(listener.asked) == 4


async def test_a_new_policy_is_asked_anew():
    async with Listener(deny) as listener:
        for _ in range(3):
            await listener.ask(ask())
        listener.listener.forget()
        await listener.ask(ask())
        assert len(listener.asked) == 3


async def test_ttls_count_down_in_the_cache():
    from namewarden.wire.records import encode

    body, ttls, _ = encode("bad.example.org.", [("bad.example.org.", "A", 100, "192.0.2.1")])

    def aged(query):
        return Answer(0, body, (1, 0, 0), ttls, 100, time.monotonic() - 30)

    async with Listener(aged) as listener:
        for _ in range(4):
            reply = dns.message.from_wire(await listener.ask(ask()))
            assert 69 <= reply.answer[0].ttl <= 70
        assert len(listener.asked) == 2


async def test_answers_that_wait_do_not_hold_up_others():
    async def later(query):
        await asyncio.sleep(0.05)
        return deny(query)

    def slow_first(query):
        return later(query) if query.id == 1 else deny(query)

    async with Listener(slow_first) as listener:
        listener.client.send(ask("slow.example.org", 1))
        quick = await listener.ask(ask("quick.example.org", 2))
        assert dns.message.from_wire(quick).id == 2
        slow = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(listener.client, 512), 5)
        assert dns.message.from_wire(slow).id == 1


async def test_stopping_lets_what_is_in_flight_be_answered_and_takes_no_more():
    async def later(query):
        await asyncio.sleep(0.1)
        return deny(query)

    async with Listener(later) as listener:
        listener.client.send(ask(ident=1))
        await asyncio.sleep(0.02)
        stopping = asyncio.ensure_future(listener.listener.stop())
        await asyncio.sleep(0.02)
        assert dns.message.from_wire(await listener.ask(ask(ident=2))).id == 1
        await stopping
        assert len(listener.asked) == 1


async def test_malformed_queries_get_formerr_and_responses_silence():
    async with Listener(deny) as listener:
        listener.client.send(b"\0\x01\x80\0" + ask()[4:])
        reply = dns.message.from_wire(await listener.ask(ask()[:-1]))
        assert reply.rcode() == 1 and listener.asked == []
        assert listener.counts.malformed == 2


async def test_silence_and_overload_send_nothing_and_are_counted():
    async def never(query):
        await asyncio.sleep(60)

    def silent_or_never(query):
        return Answer(0, silent=True) if query.id == 1 else never(query)

    async with Listener(silent_or_never, in_flight=1) as listener:
        for ident in (1, 2, 3):
            listener.client.send(ask(ident=ident))
        await asyncio.sleep(0.05)
        assert [query.id for query in listener.asked] == [1, 2]
        assert listener.counts.overload == 1


async def test_a_limited_client_is_limited_in_the_lane_too():
    tokens = iter([0, 1, 2])
    async with Listener(
        deny, is_limited=lambda ip: True, admit=lambda ip, now: next(tokens)
    ) as listener:
        for ident in (1, 2, 3):
            await listener.ask(ask(ident=ident))
        listener.client.send(ask(ident=4))
        truncated = dns.message.from_wire(await listener.ask(ask(ident=5)))
        assert truncated.id == 5 and truncated.flags & dns.flags.TC and not truncated.answer
        assert listener.counts.limited == 2
    assert listener.repeats == [1]
    assert [query.id for query in listener.turned_away] == [4, 5]


@pytest.mark.skipif(os.geteuid() != 0, reason="a forged source port needs root")
async def test_a_client_that_pretends_to_be_port_0_is_counted_and_forgotten():
    async with Listener(deny) as listener:
        forged = struct.pack("!HHHH", 0, listener.address[1], 8 + len(ask()), 0) + ask()
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as forger:
            forger.sendto(forged, ("127.0.0.1", 0))
            forger.sendto(forged, ("127.0.0.1", 0))
        assert await listener.ask(ask(ident=9))
        assert listener.counts.unsent == 2


async def test_a_crowd_makes_it_busy_for_a_moment():
    async with Listener(deny) as listener:
        assert not listener.listener.is_busy()
        for ident in range(20):
            listener.client.send(ask(ident=ident))
        listener.listener._readable()
        assert listener.listener.is_busy()
        await asyncio.sleep(0.1)
        assert not listener.listener.is_busy()


def broken(*_):
    raise RuntimeError("a bug")


async def test_a_fault_after_the_answer_loses_no_datagram_and_no_task():
    """Answered from a task of the process's group, which an error would end."""

    async def later(query):
        await asyncio.sleep(0)
        return deny(query)

    async with Listener(later, repeated=broken) as listener:
        for ident in (1, 2, 3):
            assert dns.message.from_wire(await listener.ask(ask(ident=ident))).id == ident
        await asyncio.sleep(0)
        assert listener.counts.faults == 2
        assert not listener.waiting


async def test_an_answer_that_cannot_be_written_is_one_datagram_lost():
    def unwritable_or_not(query):
        return Answer(0, ede=((1 << 16, ""),)) if query.id == 1 else deny(query)

    async with Listener(unwritable_or_not) as listener:
        for ident in (1, 2):
            listener.client.send(ask(ident=ident, use_edns=0))
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(listener.client, 512), 5)
        assert dns.message.from_wire(data).id == 2
        assert listener.counts.faults == 1 and listener.listener._in_flight == 0


async def test_answers_of_one_turn_of_the_loop_leave_together():
    gate = asyncio.Event()

    async def together(query):
        await gate.wait()
        return deny(query)

    sent = []

    def watched(sock):
        twin = datagrams.choose({}, sock)

        def send_many(sock, out):
            sent.append(len(out))
            return twin.send_many(sock, out)

        return twin._replace(send_many=send_many)

    async with Listener(together) as listener:
        listener.listener._batch = watched(listener.bound)
        for ident in range(20):
            listener.client.send(ask(f"n{ident}.example.org", ident))
        await asyncio.sleep(0.05)
        gate.set()
        await asyncio.sleep(0.05)
        assert sent == [20]


async def test_malformed_queries_are_limited_before_anything_is_sent():
    async with Listener(deny, admit=lambda ip, now: 2) as listener:
        listener.client.send(ask()[:-1])
        listener.client.send(b"\0\x01\x28\0" + ask()[4:])
        await asyncio.sleep(0.05)
        with pytest.raises(BlockingIOError):
            listener.client.recv(512)
        assert (listener.counts.malformed, listener.counts.limited) == (2, 2)


async def test_what_was_asked_under_another_policy_is_not_kept():
    gate = asyncio.Event()

    async def held(query):
        await gate.wait()
        return deny(query)

    async with Listener(held) as listener:
        for ident in (1, 2):
            listener.client.send(ask(ident=ident))
        await asyncio.sleep(0.05)
        listener.listener.forget()
        gate.set()
        loop = asyncio.get_running_loop()
        for _ in range(2):
            await asyncio.wait_for(loop.sock_recv(listener.client, 512), 5)
        await listener.ask(ask(ident=3))
        assert len(listener.asked) == 3


async def test_a_flood_does_not_cost_who_asks_little():
    """More than can be served comes from one client, and then one query of another."""

    def slow(query):
        time.sleep(0.001)
        return deny(query)

    async with Listener(slow) as listener:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flood:
            flood.bind(("127.0.0.9", 0))
            flood.connect(listener.address)
            for number in range(3000):
                flood.send(ask(f"n{number}.example.org", number))
                if number % 200 == 199:
                    await asyncio.sleep(0)
            began = time.monotonic()
            reply = await listener.ask(ask("little.example.net", 1))
            assert time.monotonic() - began < 0.15
        assert dns.message.from_wire(reply).id == 1
        assert listener.listener.is_busy()
        assert listener.counts.overload > 0


async def test_one_whose_share_cannot_be_told_is_lost_and_the_others_are_served():
    failing = iter([True])

    def share(host):
        if next(failing, False):
            raise RuntimeError("a bug")
        return host

    async with Listener(deny, share=share) as listener:
        for ident in range(19):
            listener.client.send(ask(f"n{ident}.example.org", ident))
        replies = [await listener.ask(ask("n19.example.org", 19))]
        loop = asyncio.get_running_loop()
        while len(replies) < 19:
            replies.append(await asyncio.wait_for(loop.sock_recv(listener.client, 512), 5))
        assert len({reply[:2] for reply in replies}) == len(listener.asked) == 19
        assert listener.counts.faults == 1


async def test_all_that_a_fault_in_the_packet_cache_loses_is_counted(monkeypatch):
    async with Listener(deny) as listener:
        monkeypatch.setattr(listener.cache, "answer", broken)
        for ident in range(5):
            listener.client.send(ask(ident=ident))
        listener.listener._readable()
        assert listener.counts.faults == 5 and listener.asked == []


@pytest.mark.parametrize("environ", [{}, {"NAMEWARDEN_PURE": "1"}], ids=["helper", "plain"])
async def test_repeats_never_wait_behind_what_the_chain_answers(environ):
    async with Listener(deny, environ=environ) as listener:
        for ident in (1, 2):
            await listener.ask(ask(ident=ident))
        for ident in range(20):
            listener.client.send(ask(f"n{ident}.example.org", ident))
        for ident in range(100, 120):
            listener.client.send(ask(ident=ident))
        listener.listener._readable()
        assert len(listener.listener._waiting) == 20 - TURN
        replies = [listener.client.recv(512) for _ in range(20 + TURN)]
        assert {reply[1] for reply in replies} == {*range(TURN), *range(100, 120)}
