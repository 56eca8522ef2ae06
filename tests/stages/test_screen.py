"""A CNAME that leads to a denied name is denied; an allow of the name asked covers its chain."""

import dns.message
import dns.rcode
import dns.rrset
import pytest
from msgspec.structs import replace

from namewarden.policy.decide import Policy
from namewarden.query import Answer, Query, Verdict
from namewarden.stages.block import blocked
from namewarden.stages.screen import screen
from namewarden.wire import answers, message
from tests.policy.made import snapshot_of

QUESTION = b"\3www\7example\3org\0\0\1\0\1"
QUERY = Query(1, "www.example.org.", 1, "192.0.2.1", "udp", 0.0, QUESTION)
TEXT = "||tracker.example^\ntcp.example CNAME rpz-tcp-only.\ndrop.example CNAME rpz-drop.\n"


@pytest.fixture
def stage(tmp_path):
    policy = Policy(snapshot_of(tmp_path, {"l": TEXT}))
    return screen(lambda: policy, blocked, lambda now: now)


def chain(*cnames):
    async def following(_query):
        return Answer(0, cnames=cnames, upstream="udp://192.0.2.53:53", ttl=300)

    return following


async def test_a_clean_chain_passes(stage):
    for cnames in ((), ("cdn.example.net.",)):
        answer = await stage(QUERY, chain(*cnames))
        assert (answer.status, answer.cnames) == ("FORWARDED", cnames)


async def test_a_denied_name_in_the_chain_blocks(stage):
    answer = await stage(QUERY, chain("cdn.example.net.", "x.tracker.example."))
    assert (answer.status, answer.verdict.reason) == ("BLOCKED_CNAME", "cname_deny")
    assert answer.verdict.rule == "l:1 ||tracker.example^"
    assert answer.cnames == ("cdn.example.net.", "x.tracker.example.")
    assert answer.upstream == "udp://192.0.2.53:53"


async def test_an_allow_of_the_name_asked_covers_its_chain(stage):
    allowed = replace(QUERY, allowed=Verdict("allow", "rule_allow", "rule:1 www.example.org"))
    assert (await stage(allowed, chain("x.tracker.example."))).status == "FORWARDED"


async def test_drop_and_tcp_only_hold_for_the_chain_too(stage):
    dropped = await stage(QUERY, chain("drop.example."))
    assert (dropped.silent, dropped.status) == (True, "DROPPED")
    assert (await stage(QUERY, chain("tcp.example."))).tc
    by_tcp = replace(QUERY, transport="tcp")
    assert (await stage(by_tcp, chain("tcp.example."))).status == "FORWARDED"
    further = await stage(by_tcp, chain("tcp.example.", "x.tracker.example."))
    assert further.status == "BLOCKED_CNAME"


ZONES = {
    "first": """$ORIGIN first.test.
32.66.100.51.198.rpz-ip CNAME .
24.0.113.0.203.rpz-ip CNAME rpz-passthru.
24.0.100.51.198.rpz-ip 60 A 192.0.2.99
128.66.zz.db8.2001.rpz-ip CNAME *.
ns.evil.example.rpz-nsdname CNAME .
32.53.2.0.192.rpz-nsip CNAME *.
""",
    "second": """$ORIGIN second.test.
data.example 60 A 192.0.2.80
walled.example 60 CNAME garden.example.net.
gone.example CNAME .
none.example CNAME *.
pass.example CNAME rpz-passthru.
32.1.113.0.203.rpz-ip CNAME .
24.0.100.51.198.rpz-ip CNAME .
""",
    "plain": "plain.example\nlater.example\n",
    "allow:good": "cdn.example\n",
}
UPSTREAM = "udp://192.0.2.53:53"


@pytest.fixture
def zones(tmp_path):
    policy = Policy(snapshot_of(tmp_path, ZONES))
    return screen(lambda: policy, blocked, lambda now: now)


class Upstream:
    """Answers with a chain of CNAMEs and what it ends in; the walled garden it knows by itself."""

    def __init__(self, *chain, addresses=(), authority=(), additional=()):
        self.chain, self.addresses = chain, addresses
        self.authority, self.additional = authority, additional

    async def __call__(self, query):
        asked = dns.message.from_wire(message.write_query(query, 1, 1232))
        reply = dns.message.make_response(asked)
        if query.name == "garden.example.net.":
            reply.answer = [dns.rrset.from_text(query.name, 60, "IN", "A", "192.0.2.81")]
            return message.read_answer(reply.to_wire(), query.question, query.now, UPSTREAM)
        names = [query.name, *self.chain]
        for name, target in zip(names, names[1:], strict=False):
            reply.answer.append(dns.rrset.from_text(name, 300, "IN", "CNAME", target))
        for kind in ("A", "AAAA"):
            texts = [text for text in self.addresses if (":" in text) == (kind == "AAAA")]
            if texts:
                reply.answer.append(dns.rrset.from_text(names[-1], 300, "IN", kind, *texts))
        reply.authority = [dns.rrset.from_text(*one) for one in self.authority]
        reply.additional = [dns.rrset.from_text(*one) for one in self.additional]
        return message.read_answer(reply.to_wire(), query.question, query.now, UPSTREAM)


async def outcome(stage, upstream, query=QUERY):
    """(rcode, data of the answer section) as sent, and the answer."""
    answer = await stage(query, upstream)
    reply = dns.message.from_wire(answers.to_wire(query, answer, query.now, 65535))
    said = [str(rrset).replace(" IN ", " ") for rrset in reply.answer]
    return (dns.rcode.to_text(reply.rcode()), said), answer


CNAME = "www.example.org. 300 CNAME"


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (["gone.example."], ("NXDOMAIN", [f"{CNAME} gone.example."])),
        (["none.example."], ("NOERROR", [f"{CNAME} none.example."])),
        (["data.example."], ("NOERROR", [f"{CNAME} data.example.", "data.example. 60 A 192.0.2.80"])),
        (
            ["a.example.", "walled.example.", "plain.example."],
            ("NOERROR", [
                f"{CNAME} a.example.", "a.example. 300 CNAME walled.example.",
                "walled.example. 60 CNAME garden.example.net.", "garden.example.net. 60 A 192.0.2.81",
            ]),
        ),
    ],
)  # fmt: skip
async def test_a_zones_answer_stands_behind_the_chain_that_leads_there(zones, chain, expected):
    found, answer = await outcome(zones, Upstream(*chain, addresses=["192.0.2.1"]))
    assert found == expected
    assert (answer.status, answer.verdict.reason) == ("BLOCKED_CNAME", "cname_deny")
    assert (answer.cnames, answer.upstream) == (tuple(chain), UPSTREAM)


async def test_a_list_that_is_no_zone_denies_the_whole(zones):
    found, _ = await outcome(zones, Upstream("plain.example.", addresses=["192.0.2.1"]))
    assert found == ("NOERROR", ["www.example.org. 10 A 0.0.0.0"])


async def test_where_the_cname_itself_is_asked_for_no_zone_speaks_about_its_target(zones):
    asked = replace(QUERY, qtype=5, question=QUESTION[:-4] + b"\0\5\0\1")
    assert (await zones(asked, Upstream("gone.example."))).status == "FORWARDED"
    assert (await zones(asked, Upstream("plain.example."))).status == "BLOCKED_CNAME"


async def test_a_zones_passthru_is_the_last_word_about_what_follows(zones):
    upstream = Upstream("pass.example.", "later.example.", addresses=["198.51.100.66"])
    assert (await zones(QUERY, upstream)).status == "FORWARDED"
    upstream = Upstream("cdn.example.", "later.example.")  # an allow of a list is about that name
    assert (await zones(QUERY, upstream)).status == "BLOCKED_CNAME"


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["192.0.2.7"], "192.0.2.7"),
        (["192.0.2.7", "198.51.100.66"], "NXDOMAIN"),
        (["198.51.100.67", "198.51.100.66"], "NXDOMAIN"),  # the longest prefix
        (["198.51.100.67"], "192.0.2.99"),
        (["203.0.113.1"], "203.0.113.1"),  # the first zone's passthru
        ([f"192.0.2.{n}" for n in range(20, 50)] + ["198.51.100.66"], "NXDOMAIN"),
        (["2001:db8::66"], ""),
    ],
)
async def test_zones_are_triggered_by_addresses(zones, addresses, expected):
    (rcode, said), answer = await outcome(zones, Upstream(addresses=addresses))
    assert expected == (rcode if rcode != "NOERROR" else said[0].split()[-1] if said else "")
    is_passed = expected in addresses
    assert answer.status in (("FORWARDED",) if is_passed else ("BLOCKED", "REDIRECTED"))
    assert is_passed or answer.verdict.rule.startswith("first:")


async def test_an_address_behind_a_chain(zones):
    found, answer = await outcome(zones, Upstream("a.example.", addresses=["198.51.100.67"]))
    assert found == ("NOERROR", [f"{CNAME} a.example.", "a.example. 60 A 192.0.2.99"])
    assert answer.verdict.reason == "list_deny"
    allowed = Upstream("cdn.example.", addresses=["198.51.100.66"])
    assert (await zones(QUERY, allowed)).status == "FORWARDED"


async def test_the_first_zone_that_speaks_about_the_end_of_a_chain(zones):
    """The second says what the name is, the first what the address is."""
    found, _ = await outcome(zones, Upstream("gone.example.", addresses=["198.51.100.67"]))
    assert found == ("NOERROR", [f"{CNAME} gone.example.", "gone.example. 60 A 192.0.2.99"])


ADDRESSES = "192.0.2.66\nzone.example CNAME rpz-passthru.\n@@||ok.example^\n"


@pytest.mark.parametrize(
    ("name", "cnames", "addresses", "status"),
    [
        ("www.example.org.", [], ["192.0.2.7"], "FORWARDED"),
        ("www.example.org.", [], ["192.0.2.7", "192.0.2.66"], "BLOCKED"),
        ("www.example.org.", ["a.example."], ["192.0.2.66"], "BLOCKED"),
        ("www.example.org.", ["ok.example."], ["192.0.2.66"], "FORWARDED"),
        ("www.example.org.", ["zone.example."], ["192.0.2.66"], "FORWARDED"),
    ],
)
async def test_addresses_of_lists_that_are_no_zones(tmp_path, name, cnames, addresses, status):
    policy = Policy(snapshot_of(tmp_path, {"l": ADDRESSES}))
    judged = screen(lambda: policy, blocked, lambda now: now)
    answer = await judged(QUERY, Upstream(*cnames, addresses=addresses))
    assert answer.status == status
    said = answer.verdict.rule if answer.verdict else ""
    assert said == ("" if status == "FORWARDED" else "l:1 192.0.2.66")


@pytest.mark.parametrize(
    ("server", "glue", "rcode", "rule"),
    [
        ("ns.evil.example.", "192.0.2.1", "NXDOMAIN", "ns.evil.example.rpz-nsdname"),
        ("ns.good.example.", "192.0.2.53", "NOERROR", "32.53.2.0.192.rpz-nsip"),
        ("ns.good.example.", "192.0.2.1", "NOERROR", ""),
    ],
)
async def test_zones_are_triggered_by_servers_that_the_answer_shows(
    zones, server, glue, rcode, rule
):
    upstream = Upstream(
        addresses=["192.0.2.7"],
        authority=[("example.org.", 300, "IN", "NS", server)],
        additional=[(server, 300, "IN", "A", glue)],
    )
    found, answer = await outcome(zones, upstream)
    assert found[0] == rcode
    assert rule in answer.verdict.rule if rule else answer.verdict is None


HTTPS = replace(QUERY, qtype=65, question=QUESTION[:-4] + b"\0\x41\0\1")


def targets(*names, addresses=()):
    async def following(_query):
        return Answer(0, targets=names, addresses=addresses, upstream=UPSTREAM, ttl=300)

    return following


async def test_each_target_of_https_records_is_judged_as_a_cname_is(stage):
    assert (await stage(HTTPS, targets("cdn.example.net."))).status == "FORWARDED"
    denied = await stage(HTTPS, targets("cdn.example.net.", "x.tracker.example."))
    assert (denied.status, denied.verdict.reason) == ("BLOCKED_CNAME", "cname_deny")
    assert (denied.counts, denied.upstream) == ((0, 1, 0), UPSTREAM)
    allowed = replace(HTTPS, allowed=Verdict("allow", "rule_allow", "rule:1 www.example.org"))
    assert (await stage(allowed, targets("x.tracker.example."))).status == "FORWARDED"


async def test_an_allowed_target_says_nothing_about_the_others(zones):
    assert (await zones(HTTPS, targets("pass.example."))).status == "FORWARDED"
    denied = await zones(HTTPS, targets("cdn.example.", "pass.example.", "gone.example."))
    assert (denied.status, denied.rcode) == ("BLOCKED_CNAME", 3)


async def test_a_hint_triggers_a_zone_as_an_address_does(zones):
    denied = await zones(HTTPS, targets(addresses=("192.0.2.1", "198.51.100.66")))
    assert (denied.rcode, denied.verdict.rule) == (3, "first:2 32.66.100.51.198.rpz-ip CNAME .")
