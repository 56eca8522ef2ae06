"""An answer settles the exchange it belongs to and no other."""

import asyncio

from namewarden.net.exchanges import (
    PAGE,
    Exchange,
    free_id,
    open_exchange,
    settle,
    unguessable,
)
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import write_query
from tests import lying_upstream as lies
from tests.asking import query

ASKED = query("www.example.org")
SENT = write_query(ASKED, 7, 1232)


def flying():
    landed: list[Exchange] = []
    exchange = open_exchange(asyncio.get_running_loop(), ASKED, landed.append)
    return exchange, {7: exchange}, landed


async def test_the_right_answer_settles_and_lands():
    exchange, waiting, landed = flying()
    assert settle(waiting, lies.reply(SENT), 1.0)
    assert (await exchange.future).addresses == ("192.0.2.99",) and not waiting
    await asyncio.sleep(0)
    assert landed == [exchange]


async def test_anything_else_does_not():
    exchange, waiting, _ = flying()
    for lie in (
        lies.wrong_id,
        lies.wrong_question,
        lies.wrong_type,
        lies.not_a_reply,
        lies.garbage,
    ):
        for shot in lie(SENT):
            assert not settle(waiting, shot.data, 1.0), lie
    assert waiting and not exchange.future.done()
    exchange.future.cancel()


async def test_an_answer_cut_in_mid_record_counts_as_truncated():
    exchange, waiting, _ = flying()
    whole = lies.reply(SENT, flags=0x8380)
    assert settle(waiting, whole[:-3], 1.0)
    assert (await exchange.future).tc


async def test_a_failed_flight_stays_failed():
    exchange, waiting, _ = flying()
    exchange.expire()
    exchange.fail(UpstreamError("later"))
    assert str(exchange.future.exception()) == "timeout"
    assert settle(waiting, lies.reply(SENT), 1.0)  # too late, and nobody's error


async def test_an_id_in_use_is_not_drawn_again():
    exchange, waiting, _ = flying()
    drawn = iter((7, 7, 9))
    assert free_id(waiting, drawn.__next__) == 9
    exchange.future.cancel()


def test_ids_go_on_beyond_a_page_and_are_those_of_nobody_else():
    one, other = unguessable(), unguessable()
    drawn = [next(one) for _ in range(3 * PAGE)]
    assert 0 <= min(drawn) and max(drawn) < 65536
    assert len(set(drawn)) > 0.85 * len(drawn)  # 91 % are expected where all are equally likely
    assert [next(other) for _ in range(100)] != drawn[:100]
