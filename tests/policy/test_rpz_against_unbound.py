"""The same RPZ zone in real Unbound and here: the same rcode and data for a thousand names and four types.

What Unbound 1.17 does, and we follow: NXDOMAIN, NODATA, drop and tcp-only for every type (tcp-only: TC over UDP,
the real answer over TCP); local data answers its types and is NODATA for others; a local CNAME is followed
upstream for every type but CNAME, its target is not judged again; `CNAME *.garden.` puts the name asked before
`garden.`, TTL 0; wildcards are below only and end at the closest owner (`known.w` takes `a.known.w` from `*.w`).
`differences` takes any two resolvers, a running Namewarden too.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from namewarden.chain import compose
from namewarden.policy.decide import Policy
from namewarden.query import Answer, Query
from namewarden.stages.block import blocked
from namewarden.stages.groups import groups
from namewarden.stages.lists import lists
from namewarden.stages.screen import screen
from namewarden.wire import answers, message
from tests import servers
from tests.policy import rpz_zone
from tests.policy.made import snapshot_of
from tests.product import product

Outcome = tuple[str, tuple[str, ...]]  # rcode, "TC" or "silent"; the answer's records without TTL
Resolve = Callable[[str, str], Outcome]
ROOT = """\
. 3600 IN SOA a. b. 1 3600 900 86400 300
. 3600 IN NS ns.
ns. 3600 IN A 127.0.0.1
* 300 IN A 192.0.2.1"""
SILENCE = 1.5  # seconds after which nothing comes any more


def resolver_at(host: str, port: int, over_tcp: bool = False, patience: float = SILENCE) -> Resolve:
    """Any DNS server, as the comparison asks it."""

    def resolve(name: str, qtype: str) -> Outcome:
        query = dns.message.make_query(name, qtype)
        ask = dns.query.tcp if over_tcp else dns.query.udp
        for _ in range(20):  # a server that has as many connections as it takes closes the next one
            try:
                return outcome(ask(query, host, patience, port))
            except dns.exception.Timeout:
                return "silent", ()
            except (EOFError, ConnectionError):
                time.sleep(0.05)
        return "closed", ()

    return resolve


def outcome(reply: dns.message.Message) -> Outcome:
    if reply.flags & dns.flags.TC:
        return "TC", ()
    records = {
        f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata.to_text()}".lower()
        for rrset in reply.answer
        for rdata in rrset
    }
    return dns.rcode.to_text(reply.rcode()), tuple(sorted(records))


def here(policy: Policy, upstream: servers.Server, transport: str = "udp") -> Resolve:
    """The stages of this room around a real upstream, from bytes to bytes."""

    async def forward(query: Query) -> Answer:
        sent = dns.message.from_wire(message.write_query(query, 1, 1232))
        reply = dns.query.udp(sent, upstream.host, 5, upstream.port)
        return message.read_answer(reply.to_wire(), query.question, query.now)

    stages = [
        groups(lambda: policy),
        lists(lambda: policy, blocked, lambda now: now),
        screen(lambda: policy, blocked, lambda now: now),
    ]
    handler = compose(stages, forward)

    def resolve(name: str, qtype: str) -> Outcome:
        asked = dns.message.make_query(name, qtype).to_wire()
        query = message.read_query(asked, "127.0.0.1", transport, 1000.0)
        answer = asyncio.run(_once(handler(query)))
        if answer.silent:
            return "silent", ()
        return outcome(dns.message.from_wire(answers.to_wire(query, answer, 1000.0, 1232)))

    return resolve


async def _once(answer):
    return await answer


def differences(
    asked: Iterable[rpz_zone.Asked], qtypes: Iterable[str], one: Resolve, other: Resolve
) -> list[str]:
    """Every question the two answer differently."""
    questions = [(each, qtype) for each in asked for qtype in qtypes]
    again = getattr(other, "__wrapped__", other)  # not what is remembered

    def compare(question: tuple[rpz_zone.Asked, str]) -> str:
        (name, kind), qtype = question
        left, right = one(name, qtype), other(name, qtype)
        if left != right and right[0] == "silent":  # a busy machine is slow, too
            right = again(name, qtype)
        return "" if left == right else f"{kind} {name} {qtype}: {left} here, {right} there"

    with ThreadPoolExecutor(96) as pool:
        return [said for said in pool.map(compare, questions) if said]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with servers.nsd(tmp_path_factory.mktemp("world"), {".": ROOT}) as server:
        yield server


@pytest.fixture(scope="module")
def zone_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("zone") / "rpz.zone"
    path.write_text(rpz_zone.make()[0])
    return path


@pytest.fixture(scope="module")
def unbound(world, zone_file, tmp_path_factory):
    extra = f'module-config: "respip iterator"\nrpz:\n    name: {rpz_zone.ORIGIN}\n    zonefile: "{zone_file}"\n'
    with servers.unbound(tmp_path_factory.mktemp("unbound"), world, extra) as server:
        yield server


@pytest.fixture(scope="module")
def theirs(unbound):
    """Asked each question once: that nothing comes takes its time to be known."""
    return cache(resolver_at(unbound.host, unbound.port))


@pytest.fixture(scope="module")
def policy(zone_file, tmp_path_factory):
    return Policy(snapshot_of(tmp_path_factory.mktemp("policy"), {"zone": zone_file.read_text()}))


def test_there_is_enough_of_everything():
    asked = rpz_zone.make()[1]
    kinds = Counter(each.kind for each in asked)
    assert len({each.name for each in asked}) >= 1000
    assert all(kinds[kind] >= 50 for kind in [*rpz_zone.KINDS, "wildcard", "unlisted"])


def test_the_same_answers_as_unbound(policy, world, theirs):
    asked = rpz_zone.make()[1]
    assert differences(asked, rpz_zone.QTYPES, here(policy, world), theirs) == []


def test_the_same_answers_as_unbound_over_tcp(policy, world, unbound):
    theirs = resolver_at(unbound.host, unbound.port, over_tcp=True, patience=5.0)
    asked = [each for each in rpz_zone.make()[1] if each.kind in ("tcp-only", "cname", "nxdomain")]
    assert differences(asked, ("A", "HTTPS"), here(policy, world, "tcp"), theirs) == []


def test_the_running_product_gives_the_same_answers_as_unbound(
    tmp_path_factory, zone_file, world, theirs
):
    """From datagram to datagram, the model off: it has its own opinion of made-up names."""
    more = f'[[lists]]\nname = "zone"\nsource = "{zone_file}"\n[model]\nmode = "off"\n'
    asked = rpz_zone.make()[1]
    with product(tmp_path_factory.mktemp("product"), world, more) as running:
        ours = resolver_at("127.0.0.1", running.port)
        assert differences(asked, rpz_zone.QTYPES, ours, theirs) == []
