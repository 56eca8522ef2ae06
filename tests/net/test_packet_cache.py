"""The packet cache's memory and its accounts."""

import tracemalloc

from msgspec.structs import replace

from namewarden.net.packet_cache import CacheRules, PacketCache, PendingQuery
from namewarden.net.packet_entry import OVERHEAD, end_of, is_repeatable
from namewarden.net.udp import UdpCounts
from namewarden.query import Answer, Query, Verdict
from namewarden.stages.limit import SILENCE, TRUNCATION
from namewarden.stages.record import repeated
from namewarden.wire.answers import to_wire

QUESTION = b"\x01a\0\0\x01\0\x01"
QUERY = Query(1, "a.", 1, "192.0.2.1", "udp", 0.0, QUESTION)
PLAIN = 12 + len(QUESTION)
ONE, TWO = "192.0.2.1", "192.0.2.2"


class Made:
    """A packet cache that every client may ask, and what it recorded."""

    def __init__(self, most_bytes=1 << 20, group_of=lambda ip: "default"):
        self.said, self.time = [], 1000.0
        self.cache = PacketCache(
            CacheRules(
                group_of=group_of,
                is_allowed=lambda ip: ip != "stranger",
                is_limited=lambda ip: False,
                admit=lambda ip, now: 0,
                limited=(SILENCE, TRUNCATION),
                turned_away=lambda query, answer: None,
                repeated=lambda query, answer: repeated(query, answer, "resolver"),
                record_repeats=self.record,
                counts=UdpCounts(),
                wall=lambda: self.time,
            ),
            most_bytes,
        )

    def record(self, folded):
        self.said += zip(folded.clients, folded.times, folded.counts, strict=True)

    def keep(self, name, answer=None, host=ONE, now=100.0, limit=512):
        """Ask twice, so that it is known, and answer both times."""
        data = message(name)
        for _ in range(2):
            if self.cache.lookup(data, host, now) is None:
                self.answer(data, name, answer or Answer(0), host, now, limit)

    def answer(self, data, name, answer, host=ONE, now=100.0, limit=512, generation=None):
        query = Query(1, f"{name}.", 1, host, "udp", now, data[12:])
        client = self.cache.client(host)
        generation = self.cache.generation if generation is None else generation
        asked = PendingQuery(query, data, (host,), client, generation)
        self.cache.store(asked, answer, to_wire(query, answer, now, limit), now)

    def has(self, name, host=ONE, now=100.0):
        return self.cache.lookup(message(name), host, now) is not None


def message(name):
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return b"\0\x01\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


def test_repeats_are_counted_for_each_client_and_add_up():
    made = Made()
    made.keep("a")
    for host, made.time in [(ONE, 1.0), (ONE, 1.1), (TWO, 1.2), (ONE, 1.3)]:
        assert made.has("a", host)
    made.cache.flush()
    made.cache.flush()
    assert made.said == [(ONE, 1.0, 2), (TWO, 1.2, 1), (ONE, 1.3, 1)]


def test_the_older_half_is_forgotten_and_what_is_asked_stays():
    made = Made(most_bytes=40 * (OVERHEAD + 70))
    made.keep("kept")
    for index in range(100):
        made.keep(f"n{index}")
        assert made.has("kept")
    assert made.has("n99") and not made.has("n0")


def test_the_bound_is_in_octets_and_what_was_sent_is_all_that_is_kept():
    """Answers of 4 kB that were sent truncated: nobody's memory is filled by what nobody got."""
    large = Answer(0, bytes(4000), (1, 0, 0), ttls=(6,), ttl=60, stored=99.0)
    made = Made(most_bytes=8 << 20)
    tracemalloc.start()
    try:
        for index in range(2000):
            made.keep(f"name{index}", large)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.has("name1999")
    assert made.cache.bytes * 0.6 < taken < 4 << 20 and taken < made.cache.bytes * 1.1


def test_no_number_of_entries_takes_more_than_the_bound():
    made = Made(most_bytes=1 << 20)
    body = Answer(0, bytes(400), (1, 0, 0), status="BLOCKED")
    tracemalloc.start()
    try:
        for index in range(3000):
            made.keep(f"name{index}", body)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.cache.bytes <= 1 << 19 and taken < 1.1 * (1 << 20)


def test_groups_share_nothing_and_strangers_get_and_keep_nothing():
    made = Made(group_of=lambda ip: "kids" if ip == TWO else "default")
    made.keep("a")
    assert made.has("a") and not made.has("a", TWO) and not made.has("a", "stranger")
    made.keep("b", host="stranger")
    assert not made.has("b", "stranger")


def test_a_change_ends_what_it_reaches_and_nothing_else():
    made = Made()
    made.keep("a")
    made.keep("b")
    made.keep("c", Answer(0, status="CACHE", cnames=("b.",)))
    made.cache.forget(lambda name: name == "b.")
    assert [made.has(name) for name in "abc"] == [True, False, False]
    made.cache.forget()
    assert not made.has("a") and made.cache.bytes == 0


def test_what_was_asked_before_a_change_is_not_kept_after_it():
    made = Made()
    for _ in range(3):
        made.answer(message("a"), "a", Answer(0), generation=made.cache.generation)
        made.cache.forget()
    before = made.cache.generation
    made.cache.forget(lambda name: False)
    made.answer(message("a"), "a", Answer(0), generation=before)
    assert not made.has("a")


def test_ttls_count_down_second_by_second_of_the_answers_age():
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"
    answer = Answer(0, record, (1, 0, 0), (6,), 60, stored=95.5)
    made = Made()
    made.keep("a", answer, now=97.7)
    query = Query(1, "a.", 1, ONE, "udp", 0.0, message("a")[12:])
    for now in (97.7, 98.4, 98.5, 99.0, 110.0, 154.9, 155.4):
        assert made.cache.lookup(message("a"), ONE, now) == to_wire(query, answer, now, 512), now
    assert made.cache.lookup(message("a"), ONE, 155.5) is None


def test_only_answers_that_time_and_policy_govern_are_repeated():
    assert is_repeatable(QUERY, Answer(0), PLAIN) and is_repeatable(QUERY, Answer(0), PLAIN + 11)
    late = Verdict("allow", "model_late")
    for answer, length in [
        (Answer(0), PLAIN + 23),
        (Answer(2, status="FAILED"), PLAIN),
        (Answer(0, status="CACHE_STALE", stored=1.0, ttl=30), PLAIN),
        (Answer(0, stored=1.0, ttl=0), PLAIN),
        (Answer(0, verdict=late), PLAIN),
    ]:
        assert not is_repeatable(QUERY, answer, length)


def test_what_a_healthcheck_asks_is_never_repeated_for_a_repeat_is_recorded():
    assert not is_repeatable(replace(QUERY, qclass=3), Answer(0), PLAIN)


def test_an_entry_ends_with_its_ttl_or_its_rule_or_in_a_minute():
    assert end_of(Answer(0, stored=95.0, ttl=10), 100.0, 1e9) == 105.0
    assert end_of(Answer(0), 100.0, 1e9) == 160.0
    rule = Verdict("block", "rule_deny", expires=1e9 + 7)
    assert end_of(Answer(0, verdict=rule), 100.0, 1e9) == 107.0
