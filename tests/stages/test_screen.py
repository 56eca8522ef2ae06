"""A CNAME that leads to a denied name is denied; an allow of the name asked covers its chain."""

import pytest
from msgspec.structs import replace

from namewarden.policy.decide import Policy
from namewarden.query import Answer, Query, Verdict
from namewarden.stages.block import blocked
from namewarden.stages.screen import screen
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
