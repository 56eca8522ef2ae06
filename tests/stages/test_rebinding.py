"""Private addresses in answers for public names: what is private, who may have them, and what becomes of the answer."""

from ipaddress import ip_address

import dns.message
import dns.rrset
import pytest
from msgspec.structs import replace

from namewarden.query import Answer, Query, Verdict
from namewarden.stages.block import blocked
from namewarden.stages.rebinding import private_among, rebinding
from namewarden.wire.message import write_query
from namewarden.wire.received import receive

QUESTION = b"\3www\7example\3org\0\0\1\0\1"
QUERY = Query(1, "www.example.org.", 1, "192.0.2.1", "udp", 0.0, QUESTION, payload=1232)
HTTPS = replace(QUERY, qtype=65, question=QUESTION[:-4] + b"\0\x41\0\1")
UPSTREAM = "udp://192.0.2.53:53"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.0.0.0/8"), ("100.127.255.255", "100.64.0.0/10"), ("127.0.0.53", "127.0.0.0/8"),
        ("169.254.1.1", "169.254.0.0/16"), ("172.31.0.1", "172.16.0.0/12"), ("192.168.1.1", "192.168.0.0/16"),
        ("0.1.2.3", "0.0.0.0/8"), ("::1", "::1/128"), ("fd12::1", "fc00::/7"), ("fe80::1", "fe80::/10"),
        ("fec0::1", "fec0::/10"), ("::ffff:192.168.1.1", "192.168.0.0/16"), ("::10.0.0.1", "10.0.0.0/8"),
        ("64:ff9b::a00:1", "10.0.0.0/8"), ("64:ff9b:1::c0a8:101", "192.168.0.0/16"),
        ("::ffff:0.0.0.0", "0.0.0.0/8"),
    ],
)  # fmt: skip
def test_what_is_private(address, network):
    text = str(ip_address(address))
    assert private_among(("192.0.2.1", text)) == f"{text} in {network}"


@pytest.mark.parametrize(
    "address",
    ["192.0.2.1", "100.128.0.1", "172.32.0.1", "172.15.0.1", "192.169.0.1", "169.253.0.1", "11.0.0.1", "1.0.0.10",
     "2001:db8::1", "64:ff9b::c000:201", "::ffff:192.0.2.1", "2606:4700::fd", "64:ff9c::a00:1"],
)  # fmt: skip
def test_what_is_not(address):
    assert private_among((str(ip_address(address)),)) == ""


def test_an_answer_of_nothing_but_zeros_is_a_block_and_no_attack():
    assert not private_among(("0.0.0.0",)) and not private_among(("0.0.0.0", "::"))
    assert private_among(("192.0.2.1", "0.0.0.0")) == "0.0.0.0 in 0.0.0.0/8"
    assert private_among(("2001:db8::1", "::")) == ":: in ::/128"


def answering(*addresses, verdict=None, query=QUERY):
    async def following(_query):
        return Answer(
            0, b"body", (1, 0, 0), ttl=300, upstream=UPSTREAM, cnames=("a.example.net.",),
            addresses=addresses, verdict=verdict,
        )  # fmt: skip

    return following


def stage_of(mode, is_own=lambda query: False):
    return rebinding(mode, is_own, blocked)


async def test_it_is_flagged_and_answered():
    answer = await stage_of("flag")(QUERY, answering("192.168.1.1"))
    assert (answer.status, answer.body, answer.addresses) == (
        "FORWARDED",
        b"body",
        ("192.168.1.1",),
    )
    verdict = answer.verdict
    assert (verdict.action, verdict.reason, verdict.rule) == (
        "flag",
        "rebinding",
        "192.168.1.1 in 192.168.0.0/16",
    )


@pytest.mark.parametrize("query", [QUERY, HTTPS, replace(QUERY, payload=0)])
async def test_it_is_blocked_with_nodata_and_says_why(query):
    answer = await stage_of("block")(query, answering("192.0.2.1", "fd00::1"))
    assert (answer.rcode, answer.counts, answer.status) == (0, (0, 1, 0), "BLOCKED")
    assert answer.ede == (((15, "rebinding fd00::1 in fc00::/7"),) if query.payload else ())
    assert (answer.cnames, answer.upstream, answer.addresses) == (
        ("a.example.net.",),
        UPSTREAM,
        (),
    )


async def test_off_lets_all_pass():
    assert (await stage_of("off")(QUERY, answering("127.0.0.1"))).verdict is None


@pytest.mark.parametrize("mode", ["flag", "block"])
async def test_what_is_public_or_ones_own_passes(mode):
    for addresses in (), ("192.0.2.1",), ("0.0.0.0",):
        assert (await stage_of(mode)(QUERY, answering(*addresses))).verdict is None
    own = stage_of(mode, lambda query: query.name == "www.example.org.")
    assert (await own(QUERY, answering("10.0.0.1"))).verdict is None


@pytest.mark.parametrize("reason", ["rule_allow", "pattern_allow"])
async def test_the_operators_allow_is_the_last_word(reason):
    said = Verdict("allow", reason, "rule:1 www.example.org")
    assert (await stage_of("block")(QUERY, answering("10.0.0.1", verdict=said))).verdict == said


async def test_an_allow_list_of_strangers_is_not():
    said = Verdict("allow", "list_allow", "friends:1 example.org")
    answer = await stage_of("block")(QUERY, answering("10.0.0.1", verdict=said))
    assert answer.verdict.reason == "rebinding"


async def test_what_the_model_said_is_kept():
    benign = Verdict("allow", "model_benign", score=0.01, band="benign", model="0123456789ab")
    verdict = (await stage_of("flag")(QUERY, answering("10.0.0.1", verdict=benign))).verdict
    assert (verdict.reason, verdict.score, verdict.model) == ("rebinding", 0.01, "0123456789ab")
    review = Verdict("review", "model_uncertain", "score >= 0.9", score=0.95, band="uncertain")
    assert (await stage_of("flag")(QUERY, answering("10.0.0.1", verdict=review))).verdict == review
    answer = await stage_of("block")(QUERY, answering("10.0.0.1", verdict=review))
    assert (answer.verdict.action, answer.verdict.score) == ("block", 0.95)


async def test_a_denial_stays_as_it_is():
    denied = Verdict("redirect", "list_deny", "l:1 x", mode="ip", addresses=("10.0.0.1",))
    answer = await stage_of("block")(QUERY, answering("10.0.0.1", verdict=denied))
    assert answer.verdict == denied


def said(query, kind, *texts):
    reply = dns.message.make_response(dns.message.from_wire(write_query(query, 1, 1232)))
    reply.answer = [dns.rrset.from_text("www.example.org.", 60, "IN", kind, *texts)]

    async def following(_query):
        return receive(reply.to_wire(max_size=65535), query.question, 0.0, UPSTREAM)

    return following


async def test_no_address_is_hidden_behind_many():
    public = [f"198.51.100.{n}" for n in range(40)]
    assert (await stage_of("block")(QUERY, said(QUERY, "A", *public))).verdict is None
    hidden = await stage_of("block")(QUERY, said(QUERY, "A", *public, "192.168.0.1"))
    assert hidden.verdict.rule == "192.168.0.1 in 192.168.0.0/16"


async def test_hints_are_addresses():
    text = "1 . ipv4hint=192.0.2.1 ipv6hint=fd00::1"
    answer = await stage_of("block")(HTTPS, said(HTTPS, "HTTPS", text))
    assert answer.verdict.rule == "fd00::1 in fc00::/7"
