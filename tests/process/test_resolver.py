"""The resolver process, as far as it needs no product around it."""

import socket

from namewarden.config import Settings
from namewarden.net import datagrams
from namewarden.net.udp import UdpListener, UdpServing
from namewarden.process.paths import Paths
from namewarden.process.resolver import Resolver
from namewarden.query import Answer
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
