"""The resolver process, as far as it needs no product around it."""

import asyncio
import socket
import time

import pytest

from namewarden.net import datagrams, eager
from namewarden.net.udp import UdpListener, UdpServing
from namewarden.process import slot
from namewarden.process.paths import Paths
from namewarden.process.resolver import DRAIN, LAST_BATCH, PATIENCE, STOP, Resolver, drain
from namewarden.query import Answer
from namewarden.settings import Settings
from tests.net.test_packet_cache import Made, message


async def never(query):
    raise AssertionError("nothing is asked")


def listener(bound, cache):
    serving = UdpServing(
        never, set(), cache, lambda client, now: 0, hash, lambda sock: datagrams.choose({}, sock)
    )
    return UdpListener(bound, serving)


def test_a_decision_goes_through_a_shared_packet_cache_once(tmp_path):
    made = Made()
    made.keep("a", Answer(0))
    resolver = Resolver(Settings(), Paths(tmp_path), {}, 0, print)
    bound = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    resolver._listeners = [listener(each, made.cache) for each in bound]
    resolver._forget(lambda name: True)
    for each in bound:
        each.close()
    assert made.cache.generation == 1
    assert made.cache.lookup(message("a"), "192.0.2.1", 100.0) is None


class Slow:
    """A listener whose clients do not take their answers."""

    async def start(self):
        pass

    async def stop(self):
        await asyncio.sleep(60)

    def forget(self, reaches=None):
        pass

    def is_busy(self):
        return False


async def stays():
    """A handler that outlives what cancels it."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass


@pytest.mark.parametrize("listeners", [[], [Slow()]])
async def test_what_does_not_end_keeps_no_resolver_longer_than_it_may_take(listeners):
    waiting, stopped = set(), []
    eager.run(stays(), print, waiting)
    begun = time.monotonic()
    await drain(listeners, lambda: stopped.append(True), waiting, 0.2)
    assert time.monotonic() - begun < 0.5
    assert stopped == [True]


def test_what_is_lost_is_told_before_the_supervisor_kills():
    assert PATIENCE < DRAIN < STOP and STOP - DRAIN >= 1.0  # for the last events
    assert STOP + 0.2 < slot.GRACE and LAST_BATCH < STOP
