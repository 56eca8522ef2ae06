"""Strangers are refused, floods are limited, nothing grows, nobody can aim."""

from namewarden.query import Answer
from namewarden.stages.limit import ANSWER, DROP, TRUNCATE, Buckets, limit
from tests.asking import message, query

PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "::1/128", "fc00::/7")


def buckets(rate=10.0, burst=5.0, slip=2, exempt=("127.0.0.0/8",), secret=b"secret", **options):
    return Buckets(PRIVATE, rate, burst, slip, exempt, secret, **options)


async def following(_query):
    return Answer(0, status="FORWARDED")


def test_the_access_list_knows_both_families_and_ipv4_in_ipv6_clothes():
    made = buckets()
    for client in ("127.0.0.1", "10.255.0.9", "::1", "fd00::5", "::ffff:10.1.1.1", "fd00::1%eth0"):
        assert made.is_allowed(client), client
    for client in ("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "11.0.0.0"):
        assert not made.is_allowed(client), client


async def test_a_stranger_is_refused_with_18():
    asked = query("example.org", client="192.0.2.1")
    answer = await limit(buckets())(asked, following)
    assert answer.verdict is not None
    assert (answer.rcode, answer.status, answer.verdict.reason) == (5, "REFUSED", "acl")
    assert [option.code for option in message(asked, answer).options] == [18]


async def test_a_stranger_above_the_rate_gets_nothing_not_even_truncation():
    stage = limit(buckets(burst=2.0))
    asked = query("example.org", client="192.0.2.1", now=1.0)
    answers = [await stage(asked, following) for _ in range(6)]
    assert [(a.status, a.silent) for a in answers] == [("REFUSED", False)] * 2 + [
        ("LIMITED", True)
    ] * 4


def test_a_burst_passes_then_the_rate_holds():
    made = buckets()
    outcome = [made.admit("10.0.0.1", 100.0) for _ in range(9)]
    assert outcome == [ANSWER] * 5 + [DROP, TRUNCATE, DROP, TRUNCATE]
    assert made.limited == 4
    assert [made.admit("10.0.0.1", 100.25) for _ in range(3)].count(ANSWER) == 2
    assert [made.admit("10.0.0.1", 1000.0) for _ in range(9)].count(ANSWER) == 5


def test_a_query_that_waited_in_a_queue_costs_no_more_than_its_token():
    made = buckets(slip=0)
    assert [made.admit("10.0.0.1", 100.0) for _ in range(2)] == [ANSWER] * 2
    assert [made.admit("10.0.0.1", 99.2) for _ in range(4)] == [ANSWER] * 3 + [DROP]
    assert [made.admit("10.0.0.1", 100.25) for _ in range(3)] == [ANSWER] * 2 + [DROP]


def test_a_prefix_shares_a_bucket_and_others_do_not():
    made = buckets(slip=0)
    assert [made.admit(f"10.0.0.{n}", 1.0) for n in range(6)] == [ANSWER] * 5 + [DROP]
    assert made.admit("10.0.1.1", 1.0) == ANSWER
    assert [made.admit(f"fd00::{n}", 1.0) for n in range(6)][-1] == DROP
    assert made.admit("fd00:0:0:100::1", 1.0) == ANSWER


def test_exempt_clients_and_rate_0_are_never_limited():
    assert all(buckets().admit("127.0.0.1", 1.0) == ANSWER for _ in range(100))
    assert not buckets().is_limited("127.0.0.1") and buckets().is_limited("10.0.0.1")
    assert all(buckets(rate=0.0).admit("10.0.0.1", 1.0) == ANSWER for _ in range(100))


def test_slots_depend_on_the_secret():
    def shared(secret):
        made = buckets(secret=secret, slots=64, slip=0)
        for _ in range(6):
            made.admit("10.0.0.1", 1.0)
        return {n for n in range(1, 200) if made.admit(f"10.9.{n}.1", 1.0) != ANSWER}

    assert shared(b"one") != shared(b"two")


def test_a_flood_of_addresses_does_not_grow_the_table():
    made = buckets(slots=128)
    for n in range(20_000):
        made.admit(f"10.{n >> 8}.{n & 255}.1", 1.0)
    assert len(made._tokens) == len(made._last) == len(made._over) == 128


async def test_above_the_limit_udp_gets_silence_or_tc_and_tcp_a_refusal():
    stage = limit(buckets(burst=1.0))
    asked = query("example.org", client="10.0.0.1", now=1.0)
    answers = [await stage(asked, following) for _ in range(3)]
    assert [(a.status, a.silent, a.tc) for a in answers] == [
        ("FORWARDED", False, False), ("LIMITED", True, False), ("LIMITED", False, True),
    ]  # fmt: skip
    over_tcp = await stage(
        query("example.org", client="10.0.0.1", transport="tcp", now=1.0), following
    )
    assert (over_tcp.rcode, over_tcp.status, over_tcp.silent) == (5, "LIMITED", False)


async def test_who_is_sent_to_tcp_is_answered_there_and_tcp_has_limits_of_its_own():
    stage = limit(buckets(burst=1.0), buckets(burst=2.0))
    over_udp = [
        await stage(query("example.org", client="10.0.0.1", now=1.0), following) for _ in range(9)
    ]
    assert over_udp[-1].status == "LIMITED"
    asked = query("example.org", client="10.0.0.1", transport="tcp", now=1.0)
    answers = [await stage(asked, following) for _ in range(3)]
    assert [answer.status for answer in answers] == ["FORWARDED", "FORWARDED", "LIMITED"]
