"""TCP upstreams: one connection for many questions, opened anew when it was closed."""

import asyncio
import time
from contextlib import suppress

import pytest

from namewarden.net.dice import unguessable
from namewarden.net.exchanges import Endpoint
from namewarden.net.upstream_tcp import MOST_CONNECTIONS, TcpUpstream
from namewarden.net.upstreams import resolve
from namewarden.wire.errors import UpstreamError
from namewarden.wire.stream import ClientLimits
from tests.asking import query
from tests.lying_upstream import Liar, deaf_after, slow
from tests.net.asking import TRUTH, ask, upstreams
from tests.servers import free_port


async def test_pipelined_questions_share_a_connection_and_come_back_to_whom_they_belong():
    async with Liar() as liar, upstreams(liar.tcp_url) as made:
        answers = await asyncio.gather(*(ask(made, f"n{n}.example.org") for n in range(300)))
        assert all(data == TRUTH for _, data in answers)
        assert liar.connections == 1 and len(liar.asked_by_tcp) == 300


async def test_a_connection_that_was_closed_is_opened_again():
    async with Liar() as liar, upstreams(liar.tcp_url) as made:
        await ask(made)
        liar.hang_up()
        assert (await ask(made))[1] == TRUTH
        await asyncio.sleep(0.05)
        liar.hang_up()
        await asyncio.sleep(0.05)
        assert (await ask(made))[1] == TRUTH
        assert liar.connections == 3


async def test_a_connection_that_went_deaf_is_replaced_while_questions_keep_coming():
    async with (
        Liar(first_tcp=deaf_after(3)) as liar,
        upstreams(liar.tcp_url, timeout=0.5, total=3.0) as made,
    ):
        for _ in range(3):
            assert (await ask(made))[1] == TRUTH
        asking = []
        for n in range(30):
            asking.append(asyncio.ensure_future(ask(made, f"n{n}.example.org")))
            await asyncio.sleep(0.1)
        answers = await asyncio.gather(*asking)
        assert all(data == TRUTH for _, data in answers)
        assert liar.connections == 2


async def test_a_server_that_answers_slowly_keeps_its_connection():
    async with Liar(tcp=slow(0.2)) as liar, upstreams(liar.tcp_url, timeout=0.1, total=0.1) as made:
        for n in range(15):
            with suppress(UpstreamError):
                await ask(made, f"n{n}.example.org")
        assert liar.connections == 1


async def test_an_idle_connection_is_closed_when_nobody_asked_for_its_time():
    async with Liar() as liar:
        address = resolve("127.0.0.1", liar.port)
        upstream = TcpUpstream(
            Endpoint("liar", address, 1232, unguessable().__next__, time.monotonic),
            ClientLimits(idle=0.3),
        )
        upstream.start(asyncio.get_running_loop())
        for _ in range(4):  # asked often enough
            await upstream.begin(query("www.example.org"), 1.0)
            await asyncio.sleep(0.2)
        assert liar.connections == 1 and liar.open_connections == 1
        await asyncio.sleep(0.3)
        assert liar.open_connections == 0
        await upstream.begin(query("www.example.org"), 1.0)
        assert liar.connections == 2
        upstream.stop()


async def test_a_deaf_connection_costs_its_questions_no_answer():
    """Three are answered, then silence: the others are asked again on a connection that works."""
    async with Liar(first_tcp=deaf_after(3)) as liar, upstreams(liar.tcp_url) as made:
        began = time.monotonic()
        answers = await asyncio.gather(*(ask(made, f"n{n}.example.org") for n in range(8)))
        assert all(data == TRUTH for _, data in answers)
        assert time.monotonic() - began < 0.6
        assert liar.connections == 2 and liar.open_connections == 1


@pytest.mark.parametrize("answers", [1, 2, 5])
@pytest.mark.parametrize("room", [1, 2, 100])
async def test_a_server_that_takes_few_questions_or_connections_costs_no_answer(answers, room):
    async with Liar(answers=answers, room=room) as liar, upstreams(liar.tcp_url) as made:
        for start in (0, 8, 16):
            asked = (ask(made, f"n{start + n}.example.org") for n in range(8))
            assert all(data == TRUTH for _, data in await asyncio.gather(*asked))
        assert liar.most_open <= MOST_CONNECTIONS


async def test_many_questions_to_a_server_that_answers_one_a_connection_wait_for_room():
    async with Liar(answers=1) as liar, upstreams(liar.tcp_url) as made:
        asked = (ask(made, f"n{n}.example.org") for n in range(200))
        assert all(data == TRUTH for _, data in await asyncio.gather(*asked))
        assert liar.most_open <= MOST_CONNECTIONS and not made.servers[0].tcp._queue


async def test_a_server_that_hangs_up_without_an_answer_fails_at_once():
    async with Liar(answers=0) as liar, upstreams(liar.tcp_url) as made:
        began = time.monotonic()
        asked = (ask(made, f"n{n}.example.org") for n in range(20))
        for failure in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(failure, UpstreamError)
        assert time.monotonic() - began < 0.5 and liar.connections < 50


async def test_a_server_that_was_not_there_is_asked_as_any_other_when_it_is():
    port, server = free_port(), Liar()
    async with upstreams(f"tcp://127.0.0.1:{port}") as made:
        asking = [ask(made, f"n{n}.example.org") for n in range(8)]
        failed = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, UpstreamError) for each in failed)
        listening = await asyncio.start_server(server._serve_tcp, "127.0.0.1", port)
        answers = await asyncio.gather(*[ask(made, f"n{n}.example.org") for n in range(8)])
        assert [data for _, data in answers] == [TRUTH] * 8 and server.connections == 1
        listening.close()
        server.hang_up()


async def test_a_slow_question_alone_on_its_connection_is_answered_where_it_was_asked_first():
    async with Liar(tcp=slow(0.6)) as liar, upstreams(liar.tcp_url) as made:
        assert (await ask(made))[1] == TRUTH
        assert liar.connections <= 2
        assert made.servers[0].tcp.wrong == 0
