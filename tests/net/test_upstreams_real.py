"""Real servers as upstreams: their habits are taken as they are."""

import asyncio

import pytest

from namewarden.net.abilities import COOKIE, EDNS, MIXED
from tests.net.asking import ask, upstreams
from tests.servers import FRONTS, front, nsd, unbound

NAMES = ("www", "mail", "brief", "zero", "www", "chain")


@pytest.mark.parametrize("program", FRONTS)
async def test_the_resolvers_people_have_keep_the_case_and_know_edns(tmp_path, world, program):
    with front(program, tmp_path, world) as server:
        async with upstreams(server.url) as made:
            for name in NAMES * 4:
                answer, data = await ask(made, f"{name}.Example.org")
                assert answer.rcode == 0 and data
            assert len((await ask(made, "long.example.org", "TXT"))[1]) == 20
            abilities = made.servers[0].udp.abilities
            assert abilities._shown & MIXED and abilities._shown & EDNS and abilities.form & MIXED
            assert bool(abilities._shown & COOKIE) == (program == "named")
            assert made.wrong == made.faults == 0


async def at_once(made, count):
    asked = (ask(made, f"n{n}.wild.example.org") for n in range(count))
    answers = await asyncio.gather(*asked)
    assert [data for _, data in answers] == [["192.0.2.40"]] * count


@pytest.mark.parametrize("queries", [1, 3])
async def test_a_server_that_counts_the_questions_of_a_connection_costs_none(tmp_path, queries):
    with nsd(tmp_path, options=f"tcp-query-count: {queries}") as server:
        async with upstreams(server.tcp_url) as made:
            for _ in range(3):
                await at_once(made, 8)


async def test_a_server_that_takes_few_connections_costs_no_answer(tmp_path, world):
    options = "incoming-num-tcp: 1\n    max-reuse-tcp-queries: 1"
    with unbound(tmp_path, world, options) as server:
        async with upstreams(server.tcp_url) as made:
            for _ in range(3):
                await at_once(made, 8)
