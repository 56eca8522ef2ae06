"""TCP upstreams: one connection for many questions, opened anew when it was closed."""

import asyncio

from tests.lying_upstream import Liar
from tests.net.asking import TRUTH, ask, upstreams


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
