"""Upstreams against real NSD and Unbound, and against a server that lies."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from namewarden.net.upstreams import UpstreamError, Upstreams
from tests import lying_upstream as lies
from tests.asking import query
from tests.lying_upstream import Liar, Shot
from tests.net.asking import TRUTH, ask, upstreams
from tests.servers import boasting, free_port, nsd


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
async def test_a_real_resolver_answers(resolver, scheme):
    async with upstreams(f"{scheme}://{resolver.host}:{resolver.port}") as made:
        answer, data = await ask(made, "chain.example.org")
        assert data[-1] == "192.0.2.20" and len(data) == 4
        assert answer.cnames == ("chain2.example.org.", "chain3.example.org.", "www.example.org.")
        assert answer.upstream == f"{resolver.host}:{resolver.port}"
        assert (await ask(made, "none.example.org"))[0].rcode == 3
        denied, data = await ask(made, "hidden.example.org", "A")
        assert (denied.rcode, data) == (0, []) and 0 < denied.ttl <= 60


async def test_a_truncated_answer_is_asked_again_over_tcp(world):
    async with upstreams(world.url) as made:
        answer, data = await ask(made, "long.example.org", "TXT")
        assert len(data) == 20 and not answer.tc and len(answer.body) > 1232


@pytest.mark.parametrize(
    ("trusted", "said"),
    [([], False), (["192.0.2.0/24", "::1/128"], False), (["127.0.0.0/8"], True)],
)
async def test_authentic_is_what_a_trusted_server_says_is(tmp_path, world, trusted, said):
    with boasting(tmp_path, world) as server:
        async with upstreams(server.url, trust_ad=trusted) as made:
            answer, data = await ask(made)
    assert (answer.ad, data) == (said, ["192.0.2.66"])


async def test_a_trusted_address_is_the_same_in_ipv6_clothes():
    authentic = lambda query: [lies.Shot(lies.reply(query, flags=0x81A0))]  # noqa: E731
    async with Liar(authentic, tcp=authentic) as server:
        url = f"tcp://[::ffff:127.0.0.1]:{server.port}"
        for trusted, said in (["127.0.0.1"], True), (["::/64"], False):
            async with upstreams(url, trust_ad=trusted) as made:
                assert (await ask(made))[0].ad is said


async def test_a_silent_server_is_passed_over_then_left_alone_then_tried_again():
    async with Liar(lies.silent) as dead, Liar() as alive:
        async with upstreams(dead.url, alive.url, timeout=0.1, total=2.0) as made:
            for _ in range(5):
                assert (await ask(made))[1] == TRUTH
            assert made.servers[0].is_dead
            asked = len(dead.asked)
            assert (await ask(made))[1] == TRUTH
            assert len(dead.asked) == asked
            dead.udp = lies.honest
            await asyncio.sleep(1.1)
            began = time.monotonic()
            assert (await ask(made))[1] == TRUTH
            assert time.monotonic() - began < 0.1  # nobody waits for the probe
            await asyncio.sleep(0.05)
            assert not made.servers[0].is_dead


async def test_how_each_server_does_can_be_told():
    closed = free_port()
    async with Liar() as alive, upstreams(f"udp://127.0.0.1:{closed}", alive.url) as made:
        assert [state.age for state in made.states()] == [-1, -1]
        for _ in range(4):
            await ask(made)
        dead, well = made.states()
    assert (dead.server, dead.transport) == (f"127.0.0.1:{closed}", "udp")
    assert (dead.is_dead, dead.queries, dead.failures) == (True, 3, 3)
    assert dead.problem == "Connection refused" and dead.latency == 0
    assert (well.is_dead, well.queries, well.failures, well.problem) == (False, 4, 0, "")
    assert 0 < well.latency < 0.1 and 0 <= well.age < 1


async def test_a_dead_server_is_tried_again_with_growing_pauses():
    now, tried = [100.0], []
    closed = f"udp://127.0.0.1:{free_port()}"
    async with Liar() as alive, upstreams(closed, alive.url, clock=lambda: now[0]) as made:
        dead = made.servers[0]
        while now[0] < 200.0:
            before = dead.retry_at
            await ask(made)
            await asyncio.sleep(0)
            if dead.retry_at != before:
                tried.append(now[0])
            now[0] += 0.5
    pauses = [late - early for early, late in zip(tried, tried[1:], strict=False)]
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


async def test_a_server_that_comes_and_goes_is_told_of_once_a_minute():
    async with Liar(lies.refused) as server, upstreams(server.url) as made:
        with capture_logs() as told:
            for lie in (lies.refused, lies.honest) * 3:
                server.udp = lie
                for _ in range(3):
                    await ask(made)
    assert [line["event"] for line in told] == [
        "upstream does not answer, or refuses", "upstream answers again",
    ]  # fmt: skip


async def test_a_closed_port_fails_over_at_once_and_fails_fast_alone():
    closed = f"udp://127.0.0.1:{free_port()}"
    async with Liar() as alive, upstreams(closed, alive.url) as made:
        began = time.monotonic()
        assert (await ask(made))[1] == TRUTH
        assert time.monotonic() - began < 0.2
    async with upstreams(closed) as made:
        began = time.monotonic()
        with pytest.raises(UpstreamError) as caught:
            await ask(made)
        assert caught.value.ede_code == 23 and time.monotonic() - began < 0.2
    async with upstreams(closed.replace("udp", "tcp")) as made:
        with pytest.raises(UpstreamError):
            await ask(made)


@pytest.mark.parametrize("lie", [lies.servfail, lies.refused], ids=["SERVFAIL", "REFUSED"])
async def test_a_failing_server_gives_way_to_the_next_and_is_the_last_resort(lie):
    async with Liar(lie) as failing, Liar() as alive:
        async with upstreams(failing.url, alive.url) as made:
            for _ in range(3):
                assert (await ask(made))[1] == TRUTH
        async with upstreams(failing.url) as made:
            answer, _ = await ask(made)
            assert answer.rcode == 2


async def test_the_client_reads_what_the_server_said_in_words():
    async with Liar(lies.refused) as liar, upstreams(liar.url) as made:
        answer, _ = await ask(made)
        assert answer.ede[-1] == (23, "upstream said REFUSED")


async def test_truncation_without_tcp_is_a_failure():
    async with Liar(lies.truncating, tcp=lies.silent) as liar:
        async with upstreams(liar.url, timeout=0.2, total=0.4) as made:
            with pytest.raises(UpstreamError):
                await ask(made)


async def test_a_server_that_refuses_edns_and_is_silent_without_is_down_in_the_end():
    def refuse(query):
        return [Shot(lies.failure(query, 1))] if lies.has_opt(query) else []

    async with (
        Liar(refuse, tcp=lies.silent) as liar,
        upstreams(liar.url, timeout=0.05, total=0.06) as made,
    ):
        for _ in range(3):
            with pytest.raises(UpstreamError):
                await ask(made)
        (state,) = made.states()
        assert (state.is_dead, state.problem) == (True, "timeout") and state.failures >= 3


async def test_who_answers_for_another_name_gives_way_to_the_next():
    def stray(query):
        at = 12 + len(lies.question_of(query))
        return [
            Shot(lies.reply(query)[:at] + b"\4evil\7example\3net\0" + lies.reply(query)[at + 2 :])
        ]

    async with Liar(stray) as wrong, Liar() as alive:
        async with upstreams(wrong.url, alive.url) as made:
            assert (await ask(made))[1] == TRUTH
        async with upstreams(wrong.url) as made:
            with pytest.raises(UpstreamError):
                await ask(made)


async def test_what_is_lost_now_and_then_makes_no_wait_longer():
    is_lost = iter([False, True, False, True, False, True, False, False, True, False])
    behave = lambda query: [] if next(is_lost) else lies.honest(query)  # noqa: E731
    async with Liar(behave) as liar, upstreams(liar.url) as made:
        for _ in range(5):  # the second, the third and the fourth are asked twice
            await ask(made)
        began = time.monotonic()
        assert (await ask(made))[1] == TRUTH
        assert time.monotonic() - began < 0.4


async def test_total_bounds_the_whole_wait():
    async with Liar(lies.silent) as one, Liar(lies.silent) as two:
        async with upstreams(one.url, two.url, timeout=0.3, total=0.5) as made:
            began = time.monotonic()
            with pytest.raises(UpstreamError):
                await ask(made)
            assert 0.4 < time.monotonic() - began < 0.8


async def test_a_cancelled_question_leaves_nothing_behind():
    async with Liar(lies.silent) as liar, upstreams(liar.url, liar.tcp_url) as made:
        asked = asyncio.ensure_future(ask(made))
        await asyncio.sleep(0.05)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        await asyncio.sleep(0)
        assert made.servers[0].udp.in_flight == 0


async def test_stopping_ends_who_waits():
    async with Liar(lies.silent, tcp=lies.silent) as liar:
        for url in (liar.url, liar.tcp_url):
            made = Upstreams([url], timeout=5.0, total=5.0)
            made.start()
            asked = asyncio.ensure_future(ask(made))
            await asyncio.sleep(0.05)
            made.stop()
            with pytest.raises(UpstreamError):
                await asyncio.wait_for(asked, 1.0)


async def test_stopping_asks_no_other_server():
    async with Liar(lies.silent) as one, Liar(lies.silent) as two:
        made = Upstreams([one.url, two.url], timeout=5.0, total=5.0)
        made.start()
        asked = asyncio.ensure_future(ask(made))
        await asyncio.sleep(0.05)
        made.stop()
        with pytest.raises(UpstreamError, match="stopped"):
            await asyncio.wait_for(asked, 1.0)
        assert [server.udp.in_flight for server in made.servers if server.udp] == [0, 0]


async def test_a_real_server_that_dies_and_comes_back(tmp_path):
    port = free_port()
    async with upstreams(f"udp://127.0.0.1:{port}", timeout=0.3, total=1.0) as made:
        with nsd(tmp_path, port=port):
            assert (await ask(made))[1] == ["192.0.2.20"]
        for _ in range(4):
            with pytest.raises(UpstreamError):
                await ask(made)
        with nsd(tmp_path, port=port):
            assert (await ask(made))[1] == ["192.0.2.20"]


async def test_a_question_begins_without_a_task(world):
    """The listener steps a query once before it makes a task of it."""
    async with upstreams(world.url) as made:
        asking = made.ask(query("www.example.org"))
        outside: list[object] = []
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: outside.append(asking.send(None)))
        await asyncio.sleep(0)
        future = outside[0]
        assert isinstance(future, asyncio.Future) or hasattr(future, "add_done_callback")
        asking.close()


async def timed(made, name="www.example.org"):
    began = time.monotonic()
    assert (await ask(made, name))[1] == TRUTH
    return time.monotonic() - began


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
async def test_the_first_silent_server_costs_little_once_and_nothing_then(scheme):
    async with Liar(lies.silent, tcp=lies.silent) as dead, Liar() as alive:
        urls = (dead.url, alive.url) if scheme == "udp" else (dead.tcp_url, alive.tcp_url)
        async with upstreams(*urls) as made:
            assert await timed(made) < 0.4
            for number in range(5):
                assert await timed(made, f"n{number}.example.org") < 0.1
            assert made.wrong == 0 and made.faults == 0


async def test_each_silent_server_costs_as_little():
    async with Liar(lies.silent) as one, Liar(lies.silent) as two, Liar() as alive:
        async with upstreams(one.url, two.url, alive.url) as made:
            assert await timed(made) < 0.8
            assert await timed(made) < 0.1


async def test_a_server_that_falls_silent_is_asked_last_and_first_again_when_it_answers():
    async with Liar() as one, Liar(lies.slow(0.05)) as two:
        async with upstreams(one.url, two.url) as made:
            for number in range(4):
                await timed(made, f"n{number}.example.org")
            one.udp = lies.silent
            assert await timed(made) < 0.5
            assert made.servers[0].is_behind and not made.servers[0].is_dead
            assert await timed(made) < 0.2
            one.udp = lies.honest
            await asyncio.sleep(0.4)  # the copy that was lost is sent once more
            assert not made.servers[0].is_behind


async def test_the_faster_server_is_asked_whatever_its_place():
    async with Liar(lies.slow(0.1)) as slow, Liar() as fast:
        async with upstreams(slow.url, fast.url) as made:
            for number in range(20):
                await timed(made, f"n{number}.example.org")
        assert len(slow.asked) < 5


async def test_a_slow_answer_is_no_silence():
    """Both are slow, and the first answers first."""
    async with Liar(lies.slow(0.5)) as one, Liar(lies.slow(0.4)) as two:
        async with upstreams(one.url, two.url) as made:
            assert await timed(made) < 0.6
            assert not any(server.is_behind or server.is_dead for server in made.servers)


async def test_an_answer_that_another_server_gave_is_told_as_its():
    async with Liar(lies.silent) as dead, Liar() as alive:
        async with upstreams(dead.url, alive.url) as made:
            answer, _ = await ask(made)
            assert answer.upstream == f"127.0.0.1:{alive.port}"
            assert made.servers[0].answered_at < 0 < made.servers[1].answered_at


async def test_what_waits_beside_ends_when_all_stops():
    async with Liar(lies.silent) as one, Liar(lies.silent) as two:
        made = Upstreams([one.url, two.url], timeout=5.0, total=5.0)
        made.start()
        asked = asyncio.ensure_future(ask(made))
        await asyncio.sleep(0.4)
        assert len(made._beside) == 1
        made.stop()
        with pytest.raises(UpstreamError, match="stopped"):
            await asked
        await asyncio.sleep(0)
        assert not made._beside


async def test_to_be_stopped_is_no_failure_of_a_server():
    async with Liar(lies.silent) as dead, Liar() as alive:
        with capture_logs() as told:
            async with upstreams(dead.url, alive.url) as made:
                await ask(made)  # a copy is on its way to the first now
        await asyncio.sleep(0)
        assert not told and made.servers[0].failures == 0
