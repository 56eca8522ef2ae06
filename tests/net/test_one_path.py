"""The same queries with the packet cache and without it: the same answers, limits, groups and counts of events."""

import asyncio
from collections import Counter
from functools import lru_cache, partial
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from namewarden import chain
from namewarden.events.batch import Batch, Columns, from_wire, to_events
from namewarden.events.batch import to_wire as batch_to_wire
from namewarden.events.rows import DeniedRows, RepeatedRows
from namewarden.net import eager
from namewarden.net.datagrams import DatagramIO
from namewarden.net.packet_cache import CacheRules, PacketCache
from namewarden.net.udp import TURN, UdpCounts, UdpListener, UdpServing
from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec, RuleSpec
from namewarden.settings import Zone
from namewarden.stages.block import blocked
from namewarden.stages.cache import cache
from namewarden.stages.denials import PreparedDenials
from namewarden.stages.dns_cache import DnsCache
from namewarden.stages.groups import groups
from namewarden.stages.guard import Faults, guard
from namewarden.stages.limit import SILENCE, TRUNCATION, Buckets, limit
from namewarden.stages.lists import asked_by, lists
from namewarden.stages.local import LocalNames, local, reserved
from namewarden.stages.own import read
from namewarden.stages.rebinding import rebinding
from namewarden.stages.record import TurnedAway, record, repeated, to_event
from namewarden.stages.screen import screen
from namewarden.stages.special import public_tlds
from namewarden.stages.zones import Zones, by_zone
from namewarden.wire.received import receive
from tests.policy.made import ruled, snapshot_of

EPOCH = 1_789_560_000.0
ZONE = """$ORIGIN rpz.example.
@ 60 SOA a. b. 1 2 3 4 5
rpz.example.com CNAME .
drop.example.com CNAME rpz-drop.
walled.example.com 40 CNAME alias.example.org.
www.example.org CNAME rpz-passthru.
32.6.0.1.10.rpz-client-ip CNAME rpz-passthru.
32.5.0.0.10.rpz-client-ip 30 A 192.0.2.250
32.60.2.0.192.rpz-ip CNAME .
"""
FIRST = """$ORIGIN first.example.
32.1.2.0.192.rpz-ip 20 A 192.0.2.251
"""
LISTED = {
    "first": FIRST,
    "zone": ZONE,
    "deny": "bad.example.net\n||worse.example.net^\n0.0.0.0 ads.example.org\nads7.example.net\n",
    "more": "bad.example.net\nonly-here.example.net\nlone.example.info\n",
    "terms": """\
||worse.example.net^
server=/ok.worse.example.net/#
@@||z*.worse.example.net^
||client.example.net^$client=10.1.0.5|203.0.113.0/24
||types.example.net^$dnstype=AAAA
||other.example.net^
||other.example.net^$badfilter
||spared.example.net^$denyallow=a.spared.example.net
||im.example.net^$important
||rewritten.example.net^$dnsrewrite=192.0.2.77
||ads*.example.net^
/^exp[0-9]/
""",
    "short": "mine.example.org\nprinter\nfoo.local\nads8.example.net\nnads.example.net\n",
    "allow:good": "ads.example.org\n",
}
GROUPS = (
    GroupSpec(name="default", mode="off", ttl=7),
    GroupSpec(
        name="kids",
        clients=("10.1.0.0/16",),
        mode="off",
        block="nxdomain",
        lists=("more", "zone", "terms"),
    ),
)
RULES = (
    (),
    (RuleSpec("1", "www.example.org.", "deny", "both"),),
    (RuleSpec("2", "bad.example.net.", "allow", expires=EPOCH + 20),),
    (RuleSpec("3", "target.example.com.", "deny", groups=("kids",)),),
    (
        RuleSpec("5", "target.example.com.", "deny"),
        RuleSpec("6", "target.example.com.", "allow", expires=EPOCH + 4),
    ),
    (RuleSpec("7", "foo.local.", "allow", expires=EPOCH + 6, groups=("default",)),),
    (RuleSpec("4", "^bad|^exp", "allow", "pattern"),),
)
ZONES = Zones(
    [
        Zone(
            names=("zoned.example.org", "office.local"),
            servers=("udp://192.0.2.1",),
            groups=("kids",),
        ),
        Zone(names=("local",), servers=("udp://192.0.2.2",), groups=("kids",)),
        Zone(names=("home.arpa",), servers=("udp://192.0.2.3",)),
    ]
)
NAMES = (
    "bad.example.net", "x.worse.example.net", "ads.example.org", "only-here.example.net", "www.example.org",
    "alias.example.org", "mine.example.org", "localhost", "printer", "gone.example.org", "many.example.org",
    "rpz.example.com", "walled.example.com", "drop.example.com", "foo.local",
    "a\\.b.worse.example.net", "y.x.worse.example.net",
    "ok.worse.example.net", "a.ok.worse.example.net", "zz.worse.example.net", "client.example.net", "types.example.net",
    "other.example.net", "spared.example.net", "a.spared.example.net", "im.example.net", "rewritten.example.net",
    "ads1.example.net", "ads7.example.net", "ads8.example.net", "nads.example.net",
    "exp1.example.org", "exp1.worse.example.net", "mined.example.org",
    "zoned.example.org", "a.zoned.example.org", "pc.office.local", "pc.local", "nas.home.arpa",
)  # fmt: skip
CLIENTS = ("127.0.0.1", "10.0.0.5", "10.1.0.5", "10.1.0.6", "203.0.113.9")

ENVIRONS = [pytest.param({}, id="helper"), pytest.param({"NAMEWARDEN_PURE": "1"}, id="plain")]


class World:
    """The clock, and an upstream that always knows."""

    def __init__(self):
        self.now = 5000.0

    def wall(self):
        return EPOCH + self.now - 5000.0

    async def forward(self, query):
        return self.answer(query, "192.0.2.")

    def answer(self, query, network):
        wire = upstream_says(query.name, query.qtype, network)
        return receive(wire, wire[12 : wire.index(b"\0", 12) + 5], self.now)

    def of_zone(self, place):
        async def forward(query):
            return self.answer(query, f"10.9.{place}.")

        return forward


@lru_cache
def upstream_says(asked, qtype, network):
    answer = dns.message.make_response(dns.message.make_query(asked, qtype))
    name = asked
    if name.startswith("alias"):
        answer.answer.append(dns.rrset.from_text(name, 30, "IN", "CNAME", "target.example.com."))
        name = "target.example.com."
    if name.startswith("gone"):
        answer.set_rcode(dns.rcode.NXDOMAIN)
        soa = "a. b. 1 2 3 4 9"
        answer.authority.append(dns.rrset.from_text("example.org.", 60, "IN", "SOA", soa))
    elif qtype == 65 and name.startswith("mine"):
        texts = ["1 target.example.com.", "2 . ipv4hint=192.0.2.60"]
        answer.answer.append(dns.rrset.from_text(name, 12, "IN", "HTTPS", *texts))
    elif qtype == 28 and name.startswith(("www", "exp")):
        answer.answer.append(dns.rrset.from_text(name, 12, "IN", "AAAA", "fd00::1"))
    elif qtype == 1:
        number = 60 if name.startswith("many") else 1
        texts = [f"{network}{n}" for n in range(1, 1 + number)]
        answer.answer.append(dns.rrset.from_text_list(name, 12, "IN", "A", texts))
    return answer.to_wire()


class NoCache(PacketCache):
    def answer(self, arrived, out, now):
        return arrived

    def lookup(self, data, host, now):
        return None

    def store(self, asked, answer, wire, now):
        pass


class Path:
    """One listener before the real stages, its datagrams in lists, its events counted."""

    def __init__(self, kind, policy, world, environ):
        self.policy, self.world, self.events = policy, world, []
        self.arrived, self.sent = [], []
        self.denied = 0
        self.turned_away = TurnedAway(self)
        buckets = Buckets(("127.0.0.0/8", "10.0.0.0/8"), 0.5, 4.0, 2, ("127.0.0.0/8",), b"s" * 32)
        counts = UdpCounts()
        own = read(["mine.example.org. 50 A 192.0.2.200"])
        denials = PreparedDenials(lambda: self.policy, reserved(own, ()), "resolver")
        self.cache = kind(
            CacheRules(
                group_of=lambda client: self.policy.groups.of(client).name,
                is_allowed=buckets.is_allowed,
                is_limited=buckets.is_limited,
                admit=buckets.admit,
                limited=(SILENCE, TRUNCATION),
                turned_away=self.turn_away,
                repeated=partial(repeated, source="resolver"),
                record_repeats=self.record_repeats,
                counts=counts,
                denials=denials.of,
                record_rows=self.record_rows,
                end_about=lambda names, now: self.policy.end_about(names, now),
                key_of=lambda client, group: self.policy.client_key(client, group),
                class_of=lambda client: self.policy.class_of(client),
                wall=world.wall,
            ),
            environ=environ,
        )
        io = DatagramIO("fake", lambda *_: self.arrived, self.send)
        serving = UdpServing(
            chain.resolving(self.stages(buckets, own)), set(), self.cache, buckets.admit, hash, lambda _: io,
            counts=counts, clock=lambda: world.now,
        )  # fmt: skip
        self.listener = UdpListener(self, serving)  # type: ignore[arg-type]  # it is given to `io` only

    def stages(self, buckets, own):
        world, shield = self.world, guard(Faults())
        spawn = partial(eager.start, waiting=set())
        clock = lambda: world.now  # noqa: E731
        epoch = lambda now: EPOCH + now - 5000.0  # noqa: E731
        policy = lambda: self.policy  # noqa: E731
        is_let = lambda query: decide.is_let(  # noqa: E731
            self.policy, query.name, asked_by(query, epoch(query.now))
        )
        return chain.Stages(
            guard=shield,
            groups=groups(policy),
            record=record(self, clock, world.wall, turned_away=self.turned_away.add),
            limit=limit(buckets),
            local=local(LocalNames(own, public_tlds(), zones=ZONES), is_let),
            rebinding=rebinding("flag", lambda query: query.name == "exp1.example.org.", blocked),
            lists=lists(policy, blocked, epoch),
            verdict=passed_on,
            screen=screen(policy, blocked, epoch),
            cache=cache(DnsCache(1 << 20), spawn, shield, clock, view=ZONES.key_of),
            forward=by_zone(ZONES, world.forward, [world.of_zone(place) for place in range(3)]),
        )

    def setblocking(self, _flag):
        pass

    def send(self, _sock, out):
        self.sent += out
        return len(out)

    def record(self, event):
        self.events.append(event)

    def record_rows(self, rows):
        self.denied += len(rows.clients)
        packed, names = (rows.codes.tobytes(), rows.hits.tobytes()), "\n".join(rows.names)
        self.keep(DeniedRows(self.world.wall(), *packed, rows.clients, names, rows.source))

    def record_repeats(self, folded):
        self.keep(RepeatedRows(folded.events, folded.clients, folded.times, folded.counts))

    def keep(self, rows):
        """As the hub reads it from two of them."""
        columns = Columns()
        columns.add([rows, rows])
        batch = Batch("run", 1, "resolver", 0, 0, columns.rows, *columns.finish())
        events = list(to_events(from_wire(batch_to_wire(batch))))
        self.events += events[: len(events) // 2]

    def turn_away(self, query, answer):
        self.turned_away.add(to_event(query, answer, 0.0, self.world.wall(), "resolver"))

    def ask(self, datagrams):
        """What is sent back, in the order of the questions."""
        self.sent = []
        for begin in range(0, len(datagrams), TURN):  # as many as are served at once
            self.arrived = datagrams[begin : begin + TURN]
            self.listener._readable()
        return sorted(self.sent, key=lambda one: one[1][1])

    def change(self, policy, reaches):
        self.policy = policy
        self.listener.forget(reaches)

    def counted(self):
        self.cache.flush()
        self.turned_away.flush()
        assert self.listener._counts.faults == 0
        counts: Counter[tuple[Any, ...]] = Counter()
        for event in self.events:
            said = [
                getattr(event, field)
                for field in event.__struct_fields__
                if field not in ("id", "time", "duration", "count")
            ]
            # Without RD nothing is kept below, and what the packet cache repeats is from memory all the same.
            said = ["CACHE" if word == "FORWARDED" else word for word in said]
            if event.reason in ("acl", "limit"):  # of these the first question stands for all
                said = [event.client, event.group, event.reason, event.status]
            counts[tuple(said)] += event.count
        return counts


def difference(with_it, without_it):
    return [pair for pair in zip(with_it, without_it, strict=False) if pair[0] != pair[1]]


async def passed_on(query, following):
    return await following(query)


def reaching(before, after):
    return lambda name: before.is_ruled(name) or after.is_ruled(name)


@pytest.fixture(scope="module")
def policies(tmp_path_factory):
    """The same lists with other rules; the last is a snapshot of its own."""
    folder = tmp_path_factory.mktemp("policies")
    first, last = (snapshot_of(folder / name, LISTED, groups=GROUPS) for name in ("one", "two"))
    same = Policy(first)
    made = [same.with_rules(ruled(rules)) for rules in RULES[:-1]]
    return [*made, Policy(last, ruled(RULES[-1]))]


def datagram(name, qtype="A", edns=None, flags=0, ident=1, options=()):
    """`edns`: None, or (payload, DO); `options` of it are octets."""
    query = dns.message.make_query(name, qtype, id=ident)
    query.flags = dns.flags.RD ^ flags
    if edns:
        query.use_edns(0, dns.flags.DO * edns[1], edns[0])
        if options:
            return query.to_wire()[:-2] + len(options).to_bytes(2) + options
    return query.to_wire()


odd = st.sampled_from(
    [b"", b"\0\1", datagram("a.example.org")[:-1], b"\0\1\x28\0" + datagram("a.example.org")[4:]]
)
asked = st.builds(
    datagram,
    st.sampled_from([*NAMES, *(name.upper() for name in NAMES[:6])]),
    st.sampled_from(["A", "A", "A", "AAAA", "HTTPS", "ANY"]),
    st.sampled_from([None, None, (512, False), (1232, True), (4096, False)]),
    st.sampled_from([0, 0, 0, dns.flags.RD, dns.flags.CD, dns.flags.AD]),
    st.integers(0, 3),
    st.one_of(
        st.just(b""),
        st.binary(min_size=8, max_size=8).map(lambda cookie: b"\0\x0a\0\x08" + cookie),
        st.just(b"\0\x08\0\7\0\1\x18\0\xc0\0\2\0\3\0\0"),
        st.binary(max_size=12),
    ),
)
batch = st.lists(
    st.tuples(st.sampled_from(CLIENTS), st.one_of(asked, asked, asked, odd)), min_size=1, max_size=8
)
steps = st.lists(
    st.one_of(
        batch,
        batch,
        st.floats(0.1, 30.0),
        st.tuples(st.integers(0, len(RULES) - 1), st.booleans()),
    ),
    min_size=1,
    max_size=25,
)


def play(steps, policies, environ):
    """Both paths, step by step."""
    world = World()
    paths = [Path(kind, policies[0], world, environ) for kind in (PacketCache, NoCache)]
    for step in steps:
        if isinstance(step, float):
            world.now += step
        elif isinstance(step, list):
            sent = [(data, (ip, number)) for number, (ip, data) in enumerate(step)]
            with_it, without_it = (path.ask(sent) for path in paths)
            assert with_it == without_it, difference(with_it, without_it)
        else:
            policy, exactly = policies[step[0]], step[1]
            reaches = reaching(paths[0].policy, policy) if exactly else None
            for path in paths:
                path.change(policy, reaches)
    with_it, without_it = (path.counted() for path in paths)
    assert with_it == without_it, (with_it - without_it, without_it - with_it)
    return paths


@pytest.mark.parametrize("environ", ENVIRONS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps, again=st.integers(1, 3))
def test_nobody_can_tell_whether_the_packet_cache_answered(policies, environ, steps, again):
    async def run():
        play([step for step in steps for _ in range(again)], policies, environ)

    asyncio.run(run())


@pytest.mark.parametrize("environ", ENVIRONS)
async def test_the_packet_cache_answered_some_of_it(policies, environ):
    step = [("127.0.0.1", datagram(name)) for name in NAMES]
    paths = play([step] * 5 + [2.5] + [step] * 2, policies, environ)
    queries = [path.listener._counts.queries for path in paths]
    assert queries[0] < queries[1] == 7 * len(NAMES)
    assert paths[0].denied == 8 and paths[1].denied == 0


@pytest.mark.parametrize("environ", ENVIRONS)
async def test_fresh_cookies_make_no_other_question(policies, environ):
    """As dig and BIND send one (RFC 7873 §5.1): repeats are repeats, denied names are denied at once."""
    world = World()
    path = Path(PacketCache, policies[0], world, environ)
    for number in range(20):
        cookie = b"\0\x0a\0\x08" + number.to_bytes(8)
        step = [
            (datagram(name, edns=(1232, False), options=cookie), ("127.0.0.1", place))
            for place, name in enumerate(("www.example.org", "lone.example.info"))
        ]
        path.ask(step)
    assert path.listener._counts.queries == 2 and path.denied == 1
    assert sorted(path.counted().values()) == [20, 20]
    assert len(path.events) <= 5


class Watched(PacketCache):
    """Which questions the C helper left to Python."""

    looked_up = 0

    def lookup(self, data, host, now):
        self.looked_up += 1
        return super().lookup(data, host, now)


async def test_the_helper_keeps_denials_and_counts_ttls_down_by_itself(policies):
    pytest.importorskip("namewarden.net._packets")
    world = World()
    path = Path(Watched, policies[0], world, {})
    names = "lone.example.info", "gone.example.org"
    step = [(datagram(name), ("127.0.0.1", number)) for number, name in enumerate(names)]
    for _ in range(2):
        path.ask(step)
    before = path.cache.looked_up
    for left in (9, 6, 3):
        found = dns.message.from_wire(path.ask(step)[1][0])
        assert [records.ttl for records in found.authority] == [left]
        world.now += 3.0
    assert path.cache.looked_up == before == 3
    assert path.denied == 1 and max(path.counted().values()) == 5


@pytest.mark.parametrize("environ", ENVIRONS)
async def test_an_allow_of_a_target_ends_for_both(policies, environ):
    step = [("127.0.0.1", datagram("alias.example.org"))]
    paths = play([(4, False), step, step, step, 5.0, step], policies, environ)
    assert {"FORWARDED", "BLOCKED_CNAME"} <= {event.status for event in paths[0].events}


HEADER = b"\0\x07\x01\0\0\1\0\0\0\0\0"
OPT = b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"
labels = st.one_of(
    st.sampled_from([b"\x03bad", b"\x03BAD", b"\x05worse", b"\x07example", b"\x03net", b"\x03org"]),
    st.binary(min_size=1, max_size=63).map(lambda label: bytes((len(label),)) + label),
    st.binary(min_size=1, max_size=3),
)
junk = st.one_of(
    st.binary(max_size=400),
    st.builds(
        lambda extra, name, end, kind, tail, cut: (HEADER + extra + b"".join(name) + end + kind + tail)[:cut],
        st.sampled_from([b"\0", b"\1", b"\2"]),
        st.one_of(
            st.just([b"\x03bad", b"\x07example", b"\x03net"]),
            st.lists(labels, max_size=6),
            st.lists(st.just(b"\x01a"), min_size=120, max_size=128),
            st.lists(st.just(b"\x3f" + b"x" * 63), min_size=3, max_size=5),
        ),
        st.sampled_from([b"\0", b"\0", b"", b"\xc0\x0c"]),
        st.sampled_from([b"\0\1\0\1", b"\0\x1c\0\1", b"\0\x41\0\1", b"\0\x29\0\1", b"\0\xff\0\1", b"\0\1\0\3"]),
        st.one_of(st.just(b""), st.just(OPT), st.binary(max_size=20), st.just(OPT + b"\0")),
        st.sampled_from([None, None, None, -1, 20, 13]),
    ),
)  # fmt: skip


@pytest.mark.parametrize("environ", ENVIRONS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(datagrams=st.lists(junk, min_size=1, max_size=6))
def test_whatever_octets_come_nobody_can_tell(policies, environ, datagrams):
    async def run():
        step = [("127.0.0.1", data) for data in datagrams]
        play([step, step, step], policies, environ)

    asyncio.run(run())
