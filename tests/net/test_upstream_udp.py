"""UDP upstreams hear the truth among lies, from ports nobody can guess, with few sockets."""

import asyncio
import os
import resource
import time
from contextlib import contextmanager

import pytest

from namewarden.net.upstreams import UpstreamError
from tests import lying_upstream as lies
from tests.lying_upstream import Liar
from tests.net.asking import TRUTH, ask, upstreams


class Clock:
    """Real time and what a test adds to it."""

    now = 0.0

    def __call__(self):
        return time.monotonic() + self.now


@pytest.mark.parametrize(
    "lie", [lies.wrong_id, lies.wrong_question, lies.wrong_type, lies.wrong_source,
            lies.not_a_reply, lies.garbage],
    ids=lambda lie: lie.__name__,
)  # fmt: skip
async def test_lies_are_dropped_while_waiting_goes_on(lie):
    async with Liar(lies.then_truth(lie)) as liar, upstreams(liar.url) as made:
        assert (await ask(made))[1] == TRUTH
        assert len(liar.asked) == 1
        assert made.wrong >= (0 if lie is lies.wrong_source else 10)


@pytest.mark.parametrize("owner", [b"\4evil\7example\3net\0", b"\xc0\x10", b"\0", b"\1a\xc0\x0c"])
async def test_a_record_of_another_name_is_taken_out_of_an_answer(owner):
    def stranger(data):
        wire = lies.reply(data)
        at = 12 + len(lies.question_of(data))
        own, other = wire[at:], owner + wire[at + 2 : -4] + lies.LIE
        return [lies.Shot(wire[:7] + b"\3" + wire[8:at] + other + own + other)]

    async with Liar(stranger) as liar, upstreams(liar.url) as made:
        answer, said = await ask(made)
        assert (answer.counts, said, answer.addresses) == ((1, 0, 0), TRUTH, tuple(TRUTH))
        assert lies.LIE not in answer.body and len(liar.asked) == 1


async def test_lies_alone_end_in_a_timeout():
    async with Liar(lies.wrong_id) as liar, upstreams(liar.url, timeout=0.2, total=0.3) as made:
        with pytest.raises(UpstreamError) as caught:
            await ask(made)
        assert caught.value.ede_code == 22


async def test_the_first_answer_counts_and_the_second_harms_nobody():
    async with Liar(lies.twice) as liar, upstreams(liar.url) as made:
        for _ in range(20):
            assert (await ask(made))[1] == TRUTH


async def test_ids_and_ports_differ_from_question_to_question():
    async with Liar() as liar, upstreams(liar.url) as made:
        for number in range(100):
            await ask(made, f"n{number}.example.org")
        assert len({data[:2] for data in liar.asked}) > 90
        assert len({port for _, port in liar.sources}) > 40


async def test_ports_are_replaced_by_and_by_and_an_idle_pool_is_closed():
    clock = Clock()
    async with Liar() as liar, upstreams(liar.url, clock=clock) as made:
        udp = made.servers[0].udp
        for number in range(6000):
            await ask(made, f"n{number}.example.org")
        assert len({port for _, port in liar.sources}) > 80
        assert 0 < udp.open_sockets <= 64
        clock.now += 60
        udp._close_idle()
        assert udp.open_sockets == 0


async def test_a_lost_question_is_asked_once_more():
    lost = []

    def losing(data):
        lost.append(data)
        return lies.honest(data) if len(lost) > 1 else []

    async with Liar(losing) as liar, upstreams(liar.url) as made:
        began = time.monotonic()
        assert (await ask(made))[1] == TRUTH
        assert time.monotonic() - began < 1.0
        assert liar.sources[0] != liar.sources[1]


async def test_ten_thousand_in_flight_hold_few_sockets_and_leave_none():
    async with Liar(lies.silent) as liar, upstreams(liar.url, timeout=0.5, total=0.5) as made:
        asked = [asyncio.ensure_future(ask(made, f"n{n}.example.org")) for n in range(10_000)]
        await asyncio.sleep(0.2)
        assert 0 < made.servers[0].udp.open_sockets <= 256
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(result, UpstreamError) for result in results)
        assert made.servers[0].udp.in_flight == 0
        assert made.servers[0].udp.open_sockets <= 256


@contextmanager
def no_more_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_one = os.dup(0)
    os.close(next_one)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_one, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_question_that_cannot_be_asked_again_may_still_be_answered():
    async with Liar(lies.slow(0.5)) as liar, upstreams(liar.url) as made:
        asked = asyncio.ensure_future(ask(made))
        await asyncio.sleep(0.1)
        with no_more_files():
            await asyncio.sleep(0.3)
        udp = made.servers[0].udp
        assert udp.resent == 1 and udp.in_flight == 1
        assert (await asked)[1] == TRUTH
        assert udp.in_flight == 0 and len(liar.asked) == 1
