"""Which zone a name is in, for whom, and whose servers are asked."""

import dns.message
import dns.rrset
import pytest
from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.settings import Zone
from namewarden.stages.forward import forward
from namewarden.stages.zones import Zones, by_zone, leading_out
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import read_answer, write_query
from tests.asking import message, query, texts
from tests.stages.test_cache import World, cached

SETTINGS = [
    {"names": ["corp.example.org", "168.192.in-addr.arpa"], "servers": ["udp://192.0.2.1"]},
    {"names": ["dev.corp.example.org", "lan"], "servers": ["udp://192.0.2.2"], "groups": ["staff"]},
    {"names": ["corp.example.org"], "servers": ["udp://192.0.2.3"], "groups": ["kids", "guests"]},
    {"names": ["home.arpa", "bücher.example"], "servers": ["udp://192.0.2.4"]},
]


def zones(settings):
    return Zones(
        [Zone.model_validate({"servers": ["udp://192.0.2.1"], **each}) for each in settings]
    )


ZONES = zones(SETTINGS)


def place(name, group="default", of=ZONES):
    found = of.of(name, group)
    return None if found is None else found.place


@pytest.mark.parametrize(
    ("name", "group", "expected"),
    [
        ("corp.example.org.", "default", 0),
        ("a.b.corp.example.org.", "default", 0),
        ("a.b.corp.example.org.", "kids", 2),
        ("x.corp.example.org.", "guests", 2),
        ("x.dev.corp.example.org.", "default", 0),
        ("x.dev.corp.example.org.", "staff", 1),
        ("x.dev.corp.example.org.", "kids", 2),
        ("lan.", "staff", 1),
        ("nas.lan.", "staff", 1),
        ("nas.lan.", "default", None),
        ("9.1.168.192.in-addr.arpa.", "kids", 0),
        ("1.10.in-addr.arpa.", "default", None),
        ("nas.home.arpa.", "default", 3),
        ("x.xn--bcher-kva.example.", "default", 3),
        ("example.org.", "default", None),
        ("xcorp.example.org.", "default", None),
        ("x\\.corp.example.org.", "default", None),
        (".", "default", None),
    ],
)
def test_the_longest_name_wins_and_of_equals_the_one_for_the_group(name, group, expected):
    assert place(name, group) == expected


def test_answers_are_told_apart_only_where_groups_see_them_differently():
    def key(name, group):
        return ZONES.key_of(replace(query(name), group=group))

    assert ZONES.differ and not zones(SETTINGS[:1]).differ
    assert key("www.example.org", "default") == key("x.corp.example.org", "default") == 0
    assert key("x.dev.corp.example.org", "staff") == 2
    assert key("x.corp.example.org", "kids") == key("x.corp.example.org", "guests") == 3


async def test_a_zone_has_servers_of_its_own_and_no_others_are_asked_when_they_fail():
    async def general(asked):
        raise AssertionError("nobody else is asked")

    async def failing(asked):
        raise UpstreamError("192.0.2.1:53: timeout", 22)

    async def answering(asked):
        return Answer(0, upstream="192.0.2.2:53")

    ask = forward(by_zone(ZONES, general, [failing, answering, general, general]))
    failed = await ask(query("x.corp.example.org"))
    assert (failed.rcode, failed.status, failed.ede) == (2, "FAILED", ((22, ""),))
    assert failed.verdict and failed.verdict.rule == "192.0.2.1:53: timeout"
    asked = replace(query("x.dev.corp.example.org"), group="staff")
    assert (await ask(asked)).upstream == "192.0.2.2:53"


@pytest.mark.parametrize(
    ("name", "qtype", "expected"),
    [("home.arpa", "DS", None), ("home.arpa", "SOA", 3), ("x.home.arpa", "DS", 3),
     ("corp.example.org", "DS", 0), ("168.192.in-addr.arpa", "DS", None)],
)  # fmt: skip
def test_that_a_zone_may_be_unsigned_is_for_its_parent_to_say(name, qtype, expected):
    found = ZONES.serving(query(name, qtype))
    assert (found.place if found else None) == expected


async def test_groups_that_see_a_name_differently_share_no_kept_answer():
    world = World()
    async with cached(world, world.clock, view=ZONES.key_of) as (ask, store):
        for group in ("default", "kids", "guests", "default", "kids", "guests"):
            await ask(replace(world.query("x.corp.example.org"), group=group))
        assert world.asked == 2 and len(store) == 2
        for group in ("default", "kids", "staff"):
            await ask(replace(world.query("www.example.net"), group=group))
        assert world.asked == 3 and len(store) == 3


def test_a_name_that_lies_above_a_zone_is_there():
    assert ZONES.is_above("example.org.") and ZONES.is_above("192.in-addr.arpa.")
    assert not ZONES.is_above("lan.") and not ZONES.is_above("x.lan.")


CHAIN = [
    "x.corp.example.org. 300 IN CNAME y.corp.example.org.",
    "y.corp.example.org. 60 IN CNAME {}",
]


@pytest.mark.parametrize(
    ("name", "qtype", "target", "more", "follows"),
    [
        ("x.corp.example.org", "A", "www.example.net.", [], True),
        ("x.corp.example.org", "CNAME", "www.example.net.", [], False),
        ("x.corp.example.org", "A", "z.corp.example.org.", [], False),
        (
            "x.corp.example.org",
            "A",
            "www.example.net.",
            ["www.example.net. 60 IN A 192.0.2.1"],
            False,
        ),
    ],
)
async def test_an_alias_that_is_left_alone_is_followed_out_of_its_zone(
    name, qtype, target, more, follows
):
    lines = [line.format(target) for line in CHAIN] + more

    async def kept(asked, following):
        text = lines if asked.name.startswith("x") else [f"{asked.name} 30 IN A 192.0.2.9"]
        reply = dns.message.make_response(dns.message.from_wire(write_query(asked, 1, 1232)))
        reply.answer = [dns.rrset.from_text(*line.split(maxsplit=4)) for line in text]
        return read_answer(reply.to_wire(), asked.question, asked.now - 10)

    async def pass_on(asked, following):
        return await following(asked)

    async def nobody(asked):
        raise AssertionError("all is kept")

    asked = query(name, qtype)
    answer = await leading_out(ZONES, pass_on, kept)(asked, nobody)
    assert ("192.0.2.9" in texts(asked, answer)) == follows
    if follows:
        assert answer.cnames == ("y.corp.example.org.", target) and answer.addresses == (
            "192.0.2.9",
        )
        ttls = [rrset.ttl for rrset in message(asked, answer, asked.now).answer]
        assert ttls == [290, 50, 20] and answer.ttl <= 50
