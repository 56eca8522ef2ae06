"""Which zone a name is in, for whom, and whose servers are asked."""

import pytest
from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.settings import Zone
from namewarden.stages.forward import forward
from namewarden.stages.zones import Zones, by_zone
from namewarden.wire.errors import UpstreamError
from tests.asking import query
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
