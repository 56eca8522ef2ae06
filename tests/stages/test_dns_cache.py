"""The store stays within its bytes, and its bytes are honest."""

import tracemalloc

from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.stages.dns_cache import DnsCache, is_negative, with_ttls
from namewarden.wire.message import read_answer, write_query
from tests import lying_upstream as lies
from tests.asking import query


def answer_to(asked, ttl=60, stored=1000.0) -> Answer:
    return read_answer(lies.reply(write_query(asked, 1, 1232), ttl=ttl), asked.question, stored)


def fill(store, count):
    for number in range(count):
        asked = query(f"host{number}.some-department.example.org", now=1000.0)
        key = (asked.name, 1, 1, False, False)
        store.put(key, answer_to(asked), 60, 60)


def test_bytes_are_bounded_and_the_least_lately_used_goes_first():
    store = DnsCache(50_000)
    fill(store, 30)
    first = ("host0.some-department.example.org.", 1, 1, False, False)
    assert store.get(first, 1001.0)
    fill_to = 200
    for number in range(30, fill_to):
        asked = query(f"host{number}.some-department.example.org", now=1000.0)
        store.put((asked.name, 1, 1, False, False), answer_to(asked), 60, 60)
        store.get(first, 1001.0)
        assert store.bytes <= 50_000
    assert store.get(first, 1001.0)
    assert store.get(("host1.some-department.example.org.", 1, 1, False, False), 1001.0) is None
    assert store.counts.evictions == fill_to - len(store)


def test_what_it_says_it_holds_is_at_least_what_it_holds():
    asked = [query(f"host{n}.some-department.example.org", now=1000.0) for n in range(5000)]
    store = DnsCache(1 << 30)
    tracemalloc.start()
    try:
        for one in asked:
            name = (one.name + " ")[:-1]  # a name of its own, as the parser makes it
            store.put((name, 1, 1, False, False), answer_to(one), 60, 60)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert 0.5 * store.bytes < held <= store.bytes, (held / 5000, store.bytes / 5000)


def test_the_dead_are_forgotten_and_clear_forgets_all():
    store = DnsCache(50_000)
    fill(store, 1)
    key = ("host0.some-department.example.org.", 1, 1, False, False)
    assert store.get(key, 1119.9) and store.get(key, 1120.0) is None
    assert store.bytes == 0 and len(store) == 0
    fill(store, 3)
    store.clear()
    assert store.bytes == 0 and len(store) == 0


def test_size_0_and_an_answer_larger_than_all_keep_nothing():
    for size in (0, 500):
        store = DnsCache(size)
        fill(store, 3)
        assert len(store) == 0 and store.bytes == 0


def test_ttls_are_capped_in_the_bytes_too():
    asked = query("www.example.org")
    answer = answer_to(asked, ttl=4_000_000)
    capped = with_ttls(answer, 86_400)
    [at] = capped.ttls
    assert capped.ttl == 86_400 == int.from_bytes(capped.body[at : at + 4])
    assert with_ttls(answer_to(asked), 86_400).ttl == 60
    assert with_ttls(answer_to(asked), 86_400) == answer_to(asked)


def test_a_denial_is_known_behind_a_chain_too():
    asked = query("www.example.org")
    assert is_negative(asked, Answer(3)) and is_negative(asked, Answer(0))
    chain = Answer(0, counts=(1, 1, 0), cnames=("gone.example.org.",))
    assert is_negative(asked, chain)
    assert not is_negative(query("www.example.org", "CNAME"), chain)
    assert not is_negative(asked, replace(chain, counts=(2, 0, 0)))
