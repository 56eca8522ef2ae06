"""Denials are answered here, allows are told downwards, local CNAMEs are followed, the rest passes."""

import dns.message
import pytest
from msgspec.structs import replace

from namewarden.policy.decide import Policy
from namewarden.query import Answer, Query
from namewarden.stages.block import blocked
from namewarden.stages.cache import NOT_KEPT
from namewarden.stages.lists import lists
from namewarden.stages.local import LocalNames, targets
from namewarden.stages.own import read
from namewarden.stages.special import public_tlds
from namewarden.wire import answers, message
from tests.policy.made import snapshot_of

TEXT = """\
||bad.example^
@@||good.example^
tcp.example CNAME rpz-tcp-only.
drop.example CNAME rpz-drop.
walled.example 60 CNAME garden.example.net.
"""


@pytest.fixture
def stage(tmp_path):
    policy = Policy(snapshot_of(tmp_path, {"l": TEXT}))
    return lists(lambda: policy, blocked, lambda now: now)


def query(name, qtype="A", transport="udp"):
    return message.read_query(
        dns.message.make_query(name, qtype, use_edns=0).to_wire(), "192.0.2.1", transport, 5.0
    )


class Below:
    """What follows: remembers what it was asked, answers one A record."""

    def __init__(self):
        self.asked: list[Query] = []

    async def __call__(self, query):
        self.asked.append(query)
        reply = dns.message.make_response(
            dns.message.from_wire(message.write_query(query, 1, 1232))
        )
        reply.answer = [dns.rrset.from_text(query.name, 300, "IN", "A", "192.0.2.7")]
        return message.read_answer(reply.to_wire(), query.question, query.now)


async def test_what_nothing_speaks_about_passes_untouched(stage):
    below, asked = Below(), query("www.example.org")
    answer = await stage(asked, below)
    assert below.asked == [asked]
    assert answer.verdict is None


async def test_a_denial_never_goes_down(stage):
    below = Below()
    answer = await stage(query("www.bad.example"), below)
    assert below.asked == []
    assert (answer.status, answer.verdict.rule, answer.ede[0][0]) == (
        "BLOCKED",
        "l:1 ||bad.example^",
        15,
    )


async def test_an_allow_is_told_downwards_and_kept_on_the_answer(stage):
    below = Below()
    answer = await stage(query("good.example"), below)
    told = below.asked[0].allowed
    assert told is not None
    assert told.reason == "list_allow"
    assert answer.verdict == told
    assert answer.status == "FORWARDED"


@pytest.mark.parametrize(("transport", "passes"), [("udp", False), ("api", False), ("tcp", True)])
async def test_tcp_only_is_truncated_over_udp(stage, transport, passes):
    below = Below()
    answer = await stage(query("tcp.example", transport=transport), below)
    assert (len(below.asked) == 1, answer.tc) == (passes, not passes)


async def test_dropped_is_silent(stage):
    assert (await stage(query("drop.example"), Below())).silent


async def test_a_local_cname_is_followed(stage):
    below, asked = Below(), query("walled.example")
    answer = await stage(asked, below)
    reply = dns.message.from_wire(answers.to_wire(asked, answer, 5.0, 1232))
    assert [str(rrset) for rrset in reply.answer] == [
        "walled.example. 60 IN CNAME garden.example.net.",
        "garden.example.net. 300 IN A 192.0.2.7",
    ]
    assert (answer.status, answer.verdict.reason, answer.ttl) == ("REDIRECTED", "list_deny", 60)
    assert below.asked[0].allowed is not None
    assert answer.cnames == ("garden.example.net.",)


async def test_a_local_cname_asked_for_itself_is_not_followed(stage):
    below, asked = Below(), query("walled.example", "CNAME")
    answer = await stage(asked, below)
    assert (below.asked, answer.counts) == ([], (1, 0, 0))


async def test_where_the_target_is_silent_so_are_we(stage):
    async def silent(_query):
        return Answer(0, silent=True, status="DROPPED")

    assert (await stage(query("walled.example"), silent)).silent


async def test_a_local_cname_stands_alone_where_the_target_may_not_be_asked_for(stage):
    async def not_kept(_query):
        return NOT_KEPT

    asked = replace(query("walled.example"), rd=False)
    answer = await stage(asked, not_kept)
    reply = dns.message.from_wire(answers.to_wire(asked, answer, 5.0, 1232))
    assert [str(rrset) for rrset in reply.answer] == [
        "walled.example. 60 IN CNAME garden.example.net."
    ]
    assert (reply.rcode(), answer.status) == (0, "REDIRECTED")


ZONES = {
    "first": "$ORIGIN first.test.\n32.7.2.0.192.rpz-ip CNAME .\n32.9.2.0.192.rpz-client-ip CNAME *.\n",
    "second": "$ORIGIN second.test.\nname.example CNAME rpz-passthru.\ndenied.example CNAME *.\n"
    "32.1.2.0.192.rpz-client-ip A 192.0.2.80\n",
    "third": "$ORIGIN third.test.\n32.8.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
    "deny": "||bad.example^\n",
}


@pytest.fixture
def zones(tmp_path):
    policy = Policy(snapshot_of(tmp_path, ZONES))
    return lists(lambda: policy, blocked, lambda now: now)


@pytest.mark.parametrize("name", ["name.example", "denied.example"])
async def test_an_address_in_the_first_zone_beats_a_name_in_the_second(zones, name):
    below = Below()
    asked = replace(query(name), client="192.0.2.3")
    answer = await zones(asked, below)
    assert (answer.rcode, answer.verdict.rule.split(":")[0]) == (3, "first")
    assert below.asked[0].allowed is not None  # nothing below judges what is awaited


@pytest.mark.parametrize(
    ("client", "name", "rcode", "rule"),
    [
        ("192.0.2.9", "www.example.org", 0, "first:3 32.9.2.0.192.rpz-client-ip CNAME *."),
        ("192.0.2.9", "bad.example", 0, "first:3 32.9.2.0.192.rpz-client-ip CNAME *."),
        ("192.0.2.8", "bad.example", 0, "third:2 32.8.2.0.192.rpz-client-ip CNAME rpz-passthru."),
        ("192.0.2.8", "other.example", 0, "third:2 32.8.2.0.192.rpz-client-ip CNAME rpz-passthru."),
        ("192.0.2.7", "bad.example", 0, "deny:1 ||bad.example^"),
    ],
)
async def test_clients_that_a_zone_knows(zones, client, name, rcode, rule):
    answer = await zones(replace(query(name, "TXT"), client=client), no_addresses)
    assert (answer.rcode, answer.verdict.rule) == (rcode, rule)


async def test_within_a_zone_the_client_comes_before_the_name(zones):
    answer = await zones(replace(query("denied.example", "A")), no_addresses)
    assert answer.verdict.rule.startswith("second:4 ")


async def no_addresses(_query):
    return Answer(0)


@pytest.mark.parametrize(
    ("qtype", "data"),
    [("A", ["own.lan.", "192.168.1.5"]), ("AAAA", ["own.lan."]), ("CNAME", ["own.lan."])],
)
async def test_local_data_may_lead_to_own_records_and_special_names(tmp_path, qtype, data):
    text = "own.example 60 CNAME own.lan.\nspecial.example 60 CNAME x.local.\n"
    policy = Policy(snapshot_of(tmp_path, {"l": text}))
    here = targets(LocalNames(read(["own.lan. A 192.168.1.5"]), public_tlds()))
    stage, below = lists(lambda: policy, blocked, lambda now: now, here), Below()
    asked = query("own.example", qtype)
    answer = await stage(asked, below)
    said = dns.message.from_wire(answers.to_wire(asked, answer, asked.now, 4096))
    assert [item.to_text() for rrset in said.answer for item in rrset] == data
    assert answer.verdict and answer.verdict.reason == "list_deny"
    assert (answer.status, said.rcode()) == ("REDIRECTED", 0)
    answer = await stage(query("special.example"), below)
    assert answer.rcode == 3 and answer.cnames == ("x.local.",) and below.asked == []
