"""An answer ends the exchange it belongs to and no other."""

import asyncio

import pytest

from namewarden.net.dice import unguessable
from namewarden.net.exchanges import Endpoint, free_id
from namewarden.net.upstream_server import resolve
from namewarden.net.upstream_udp import UdpExchange, UdpUpstream
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query
from tests import lying_upstream as lies
from tests.asking import query

ASKED = query("www.example.org")
SENT = write_query(ASKED, 7, 1232)


def flying():
    upstream = UdpUpstream(Endpoint("liar", resolve("127.0.0.1", 9), 1232, unguessable().__next__))
    asked = upstream.abilities.asked(ASKED)
    return upstream, UdpExchange(asked, asyncio.get_running_loop().create_future(), 0.3, 1.0)


async def test_the_right_answer_ends_it():
    upstream, exchange = flying()
    exchange.end(upstream._read_answer(exchange, lies.reply(SENT)))
    assert (await exchange.future).addresses == ("192.0.2.99",)


@pytest.mark.parametrize(
    "lie",
    [lies.wrong_question, lies.wrong_type, lies.not_a_reply, lies.garbage],
    ids=lambda lie: lie.__name__,
)
async def test_anything_else_does_not(lie):
    upstream, exchange = flying()
    for shot in lie(SENT):
        if len(shot.data) >= 12:
            assert upstream._read_answer(exchange, shot.data) is None


async def test_an_answer_cut_in_mid_record_counts_as_truncated():
    upstream, exchange = flying()
    whole = lies.reply(SENT, flags=0x8380)
    assert upstream._read_answer(exchange, whole[:-3]).tc


async def test_a_failed_flight_stays_failed():
    upstream, exchange = flying()
    exchange.end(UpstreamError("timeout", 22))
    exchange.end(UpstreamError("later"))
    assert str(exchange.future.exception()) == "timeout"
    exchange.end(upstream._read_answer(exchange, lies.reply(SENT)))  # too late, and nobody's error
    assert str(exchange.future.exception()) == "timeout"


def test_an_id_in_use_is_not_drawn_again():
    drawn = iter((7, 7, 9))
    assert free_id({7: None}, drawn.__next__) == 9
