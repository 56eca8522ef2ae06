"""The packet cache's memory and its accounts."""

from namewarden.net.packet_cache import (
    GENERATION,
    CacheClient,
    PacketCache,
    PacketEntry,
    RepeatCounter,
    end_of,
    is_repeatable,
)
from namewarden.query import Answer, Query, Verdict

QUESTION = b"\x01a\0\0\x01\0\x01"
QUERY = Query(1, "a.", 1, "192.0.2.1", "udp", 0.0, QUESTION)
PLAIN = 12 + len(QUESTION)


def entry():
    return PacketEntry(QUERY, Answer(0), 60.0)


def test_repeats_are_counted_for_each_client_and_add_up():
    said = []
    repeats = RepeatCounter(lambda query, answer, ip, time, count: said.append((ip, time, count)))
    one, two = (
        CacheClient("192.0.2.1", PacketCache(), False),
        CacheClient("192.0.2.2", PacketCache(), False),
    )
    kept = entry()
    for client, time in [(one, 1.0), (one, 1.1), (two, 1.2), (one, 1.3)]:
        repeats.count(kept, client, time)
    repeats.flush()
    repeats.flush()
    assert said == [("192.0.2.1", 1.0, 2), ("192.0.2.2", 1.2, 1), ("192.0.2.1", 1.3, 1)]


def test_the_older_half_is_forgotten_and_what_is_asked_stays():
    cache = PacketCache()
    cache.put(b"kept", entry())
    for index in range(GENERATION):
        cache.put(b"%d" % index, entry())
    assert cache.find(b"kept") is None and cache.find_older(b"kept") is not None
    assert cache.find(b"kept") is not None
    for index in range(GENERATION * 2):
        cache.put(b"x%d" % index, entry())
    assert cache.find_older(b"0") is None


def test_a_question_is_known_the_second_time():
    cache = PacketCache()
    assert [cache.is_known(b"once"), cache.is_known(b"once")] == [False, True]
    strangers = sum(cache.is_known(b"stranger %d" % index) for index in range(20_000))
    assert strangers < 200


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


def test_prepared_bytes_are_right_for_the_rest_of_a_second_of_the_answers_age():
    entry = PacketEntry(QUERY, Answer(0, stored=95.5), dead=99.0)
    entry.prepare(b"idtail", 97.7)
    assert (entry.tail, entry.fresh) == (b"tail", 98.5)
    entry.prepare(b"idtail", 98.6)
    assert entry.fresh == 99.0
    own = PacketEntry(QUERY, Answer(0), dead=160.0)
    own.prepare(b"idtail", 100.0)
    assert own.fresh == 160.0


def test_an_entry_ends_with_its_ttl_or_its_rule_or_in_a_minute():
    assert end_of(Answer(0, stored=95.0, ttl=10), 100.0, 1e9) == 105.0
    assert end_of(Answer(0), 100.0, 1e9) == 160.0
    rule = Verdict("block", "rule_deny", expires=1e9 + 7)
    assert end_of(Answer(0, verdict=rule), 100.0, 1e9) == 107.0
