"""What is answered here, and that nothing else is."""

import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.settings import Zone
from namewarden.stages import own, special
from namewarden.stages.cache import NOT_KEPT
from namewarden.stages.forward import forward
from namewarden.stages.local import LocalNames, local, refusal
from namewarden.stages.special import public_tlds
from namewarden.stages.zones import Zones
from tests.asking import message, query, texts
from tests.net.asking import upstreams

RECORDS = own.read(
    ["nas.lan. A 192.168.1.5", "printer.local. A 192.168.1.9", "away.lan. CNAME chain.example.org.",
     "lost.lan. CNAME none.example.org."]
)  # fmt: skip
POPULAR = frozenset(("example.com.", "web.de.", "example.dev."))


def made(zones=(), resolve=(), allowed=frozenset(), records=RECORDS):
    """The stage with two search suffixes; `allowed` are names that a rule lets pass."""
    names = LocalNames(
        records, public_tlds(), ["corp.lan", ".Office.Example.ORG."], POPULAR.__contains__, resolve,
        Zones([Zone.model_validate(each) for each in zones]) if zones else None,
    )  # fmt: skip
    return local(names, lambda query: query.name in allowed)


STAGE = made()


async def passed_on(_query):
    return Answer(0, status="FORWARDED")


async def ask(name, qtype="A", following=passed_on, stage=STAGE, **options):
    asked = query(name, qtype, **options)
    answer = await stage(asked, following)
    return answer, message(asked, answer)


@pytest.mark.parametrize(
    ("name", "qtype", "rcode", "data"),
    [
        ("localhost", "A", "NOERROR", "127.0.0.1"),
        ("any.localhost", "AAAA", "NOERROR", "::1"),
        ("localhost", "MX", "NOERROR", ""),
        ("x.invalid", "A", "NXDOMAIN", ""),
        ("x.test", "A", "NXDOMAIN", ""),
        ("abc.onion", "A", "NXDOMAIN", ""),
        ("x.alt", "HTTPS", "NXDOMAIN", ""),
        ("x.local", "A", "NXDOMAIN", ""),
        ("x.internal", "A", "NXDOMAIN", ""),
        ("_dns.resolver.arpa", "SVCB", "NOERROR", ""),
        ("use-application-dns.net", "A", "NXDOMAIN", ""),
        ("mask.icloud.com", "AAAA", "NXDOMAIN", ""),
        ("intranet", "A", "NXDOMAIN", ""),
        ("com", "A", "NOERROR", ""),
        ("lan", "NS", "NXDOMAIN", ""),
        ("www.example.com.corp.lan", "A", "NXDOMAIN", ""),
        ("example.com.office.example.org", "A", "NXDOMAIN", ""),
        ("1.0.0.127.in-addr.arpa", "PTR", "NOERROR", "localhost."),
        ("4.1.168.192.in-addr.arpa", "PTR", "NXDOMAIN", ""),
        ("www.example.org", "ANY", "NOERROR", '"RFC8482" ""'),
        ("nas.lan", "A", "NOERROR", "192.168.1.5"),
        ("nas.lan", "AAAA", "NOERROR", ""),
        ("nas.lan", "ANY", "NOERROR", '"RFC8482" ""'),
        ("printer.local", "A", "NOERROR", "192.168.1.9"),
    ],
)
async def test_answered_here(name, qtype, rcode, data):
    answer, said = await ask(name, qtype)
    assert answer.status == "LOCAL" and answer.verdict.reason in ("special", "record")
    assert dns.rcode.to_text(said.rcode()) == rcode
    assert [item.to_text() for rrset in said.answer for item in rrset] == ([data] if data else [])
    assert data or said.authority[0].rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize(
    ("name", "qtype"),
    [
        ("www.example.com", "A"), ("example.net", "A"), ("com", "NS"), ("org", "DS"),
        (".", "NS"), ("home.arpa", "DS"), ("nas.corp.lan", "A"), ("a.nas.corp.lan", "A"),
        ("www.office.example.org", "A"), ("8.8.8.8.in-addr.arpa", "PTR"), ("other.lan", "A"),
    ],
)  # fmt: skip
async def test_passed_on(name, qtype):
    answer, _ = await ask(name, qtype)
    assert answer.status == "FORWARDED"


@pytest.mark.parametrize(
    ("qtype", "rcode"), [(251, 5), (252, 5), (253, 4), (254, 4), (41, 4), (0, 4), (249, 4)]
)
async def test_types_that_are_no_data(qtype, rcode):
    answer, _ = await ask("www.example.org", dns.rdatatype.RdataType.make(qtype))
    assert (answer.rcode, answer.status) == (rcode, "LOCAL")
    transfers = {251: "transfer IXFR", 252: "transfer AXFR"}
    assert answer.verdict.rule == transfers.get(qtype, f"type {qtype}")


@pytest.mark.parametrize(
    ("rdclass", "name"), [(3, "CH"), (4, "HS"), (254, "NONE"), (255, "ANY"), (7, "7")]
)
async def test_who_we_are_is_not_told(rdclass, name):
    answer, said = await ask("version.bind", "TXT", rdclass=dns.rdataclass.RdataClass.make(rdclass))
    assert (answer.rcode, said.answer) == (5, [])
    assert (answer.verdict.reason, answer.verdict.rule) == ("special", f"class {name}")


@pytest.mark.parametrize(
    ("name", "zone"),
    [("4.1.168.192.in-addr.arpa", "168.192.in-addr.arpa."), ("x.home.arpa", "home.arpa."),
     ("1.0.0.0.8.e.f.ip6.arpa", "8.e.f.ip6.arpa.")],
)  # fmt: skip
async def test_an_empty_zone_denies_as_rfc_6303_says(name, zone):
    _, said = await ask(name, "PTR")
    soa = said.authority[0]
    assert soa.name.to_text() == zone and soa.ttl == 10_800
    assert soa[0].to_text() == f"{zone} nobody.invalid. 1 3600 1200 604800 10800"
    _, top = await ask(zone, "SOA")
    assert top.rcode() == 0 and top.answer[0].name.to_text() == zone
    _, servers = await ask(zone, "NS")
    assert servers.answer[0][0].to_text() == zone
    _, empty = await ask(zone, "A")
    assert empty.rcode() == 0 and empty.authority


async def test_an_alias_that_leaves_us_is_followed_upstream(resolver):
    async with upstreams(resolver.url) as made:
        asked = query("away.lan")
        answer = await STAGE(asked, forward(made.ask))
        assert texts(asked, answer)[-1] == "192.0.2.20" and len(texts(asked, answer)) == 5
        assert answer.cnames[:2] == (
            "chain.example.org.",
            "chain2.example.org.",
        ) and answer.addresses == ("192.0.2.20",)
        lost = query("lost.lan")
        answer = await STAGE(lost, forward(made.ask))
        assert answer.rcode == 3 and texts(lost, answer) == ["none.example.org."]
        assert len(message(lost, answer).authority) == 1
        assert answer.cnames == ("none.example.org.",)


async def test_an_alias_stands_alone_where_its_target_may_not_be_asked_for():
    async def not_kept(_query):
        return NOT_KEPT

    answer, reply = await ask("away.lan", following=not_kept, flags=0)
    assert [rrset[0].to_text() for rrset in reply.answer] == ["chain.example.org."]
    assert (reply.rcode(), answer.status, answer.verdict.reason) == (0, "LOCAL", "record")


@pytest.mark.parametrize(
    "host",
    ["api.dev", "sap.app", "db1.prod", "srv.it", "mail.de", "web.de", "www.web.de", "x.example.dev", "sw1.net", "com",
     "db.com", "x.y.dev", "dc1.ad"],
)  # fmt: skip
async def test_a_part_of_the_network_may_be_named_like_a_top_level_domain(host):
    answer, _ = await ask(f"{host}.corp.lan")
    assert answer.status == "FORWARDED"


@pytest.mark.parametrize(
    ("name", "resolve", "is_asked"),
    [
        ("use-application-dns.net", ["use-application-dns.net"], True),
        ("mask.icloud.com", ["use-application-dns.net"], False),
        ("x.internal", ["internal"], True),
        ("internal", ["internal"], True),
        ("x.corp.internal", ["corp.internal"], True),
        ("x.internal", ["corp.internal"], False),
        ("1.1.168.192.in-addr.arpa", ["168.192.in-addr.arpa"], True),
        ("1.1.168.192.in-addr.arpa", ["1.168.192.in-addr.arpa"], True),
        ("1.2.168.192.in-addr.arpa", ["1.168.192.in-addr.arpa"], False),
    ],
)
async def test_special_names_that_shall_be_asked_upstream_are(name, resolve, is_asked):
    assert special.problems(resolve) == []
    answer, _ = await ask(name, stage=made(resolve=resolve))
    assert answer.status == ("FORWARDED" if is_asked else "LOCAL")


def test_what_is_not_special_or_may_never_be_asked_is_no_setting():
    found = special.problems(["localhost", "x.onion", "example.org", "internal"])
    assert [problem.partition(":")[2].split()[0] for problem in found] == [
        "localhost:", "x.onion:", "example.org",
    ]  # fmt: skip
    assert "RFC 6761" in found[0] and "RFC 7686" in found[1]


@pytest.mark.parametrize(
    ("name", "is_asked"),
    [("mask.icloud.com.", True), ("x.local.", True), ("intranet.", True), ("www.example.com.corp.lan.", True),
     ("localhost.", False), ("foo.onion.", False), ("x.invalid.", False), ("nas.lan.", False)],
)  # fmt: skip
async def test_what_people_let_pass_is_asked_where_it_may_be(name, is_asked):
    answer, _ = await ask(name, stage=made(allowed={name}))
    assert answer.status == ("FORWARDED" if is_asked else "LOCAL")
    assert bool(refusal(name, True, RECORDS)) != is_asked


def test_what_is_below_an_own_name_may_be_let_pass():
    assert refusal("nas.lan.", True, RECORDS) and not refusal("nas.lan.", False, RECORDS)
    assert refusal("onion.", False, RECORDS)


ZONED = made(
    [{"names": ["office.local", "1.168.192.in-addr.arpa", "lan", "x.y.internal"], "servers": ["udp://192.0.2.1"]},
     {"names": ["example.com.corp.lan"], "servers": ["udp://192.0.2.1"]},
     {"names": ["local"], "servers": ["udp://192.0.2.1"], "groups": ["staff"]}]
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status"),
    [("office.local", "FORWARDED"), ("pc.office.local", "FORWARDED"), ("pc.local", "LOCAL"), ("lan", "FORWARDED"),
     ("77.1.168.192.in-addr.arpa", "FORWARDED"), ("9.2.168.192.in-addr.arpa", "LOCAL"), ("nas.lan", "LOCAL"),
     ("tv.lan", "FORWARDED"), ("www.example.com.corp.lan", "FORWARDED"), ("intranet", "LOCAL")],
)  # fmt: skip
async def test_what_lies_in_a_zone_is_not_special(name, status):
    answer, _ = await ask(name, stage=ZONED)
    assert answer.status == status


@pytest.mark.parametrize(
    ("name", "rcode"), [("local", 0), ("y.internal", 0), ("internal", 0), ("z.internal", 3)]
)
async def test_what_lies_above_a_zone_is_there_and_has_nothing(name, rcode):
    answer, said = await ask(name, stage=ZONED)
    assert (answer.status, said.rcode(), said.answer) == ("LOCAL", rcode, [])


async def test_who_a_zone_is_not_for_finds_its_names_special():
    asked = query("pc.local")
    assert (await ZONED(asked, passed_on)).status == "LOCAL"
    assert (await ZONED(replace(asked, group="staff"), passed_on)).status == "FORWARDED"


@pytest.mark.parametrize(
    ("target", "rcode", "data"),
    [("x.local.", 3, []), ("single.", 3, []), ("me.localhost.", 0, ["127.0.0.1"]), ("onion.", 3, []),
     ("www.example.com.corp.lan.", 3, []), ("4.1.168.192.in-addr.arpa.", 3, [])],
)  # fmt: skip
async def test_where_an_own_alias_leads_is_answered_as_if_it_had_been_asked(target, rcode, data):
    async def nobody(_query):
        raise AssertionError("nothing leaves")

    stage = made(records=own.read([f"alias.lan. CNAME {target}"]))
    answer, said = await ask("alias.lan", stage=stage, following=nobody)
    assert said.rcode() == rcode and answer.cnames == (target,)
    assert texts(query("alias.lan"), answer) == sorted([target, *data], key=len, reverse=True)


async def test_where_an_own_alias_leads_into_a_zone_its_servers_are_asked():
    seen = []

    async def following(asked):
        seen.append(asked.name)
        return Answer(0)

    zone = {"names": ["office.local"], "servers": ["udp://192.0.2.1"]}
    stage = made([zone], records=own.read(["alias.lan. CNAME pc.office.local."]))
    await ask("alias.lan", stage=stage, following=following)
    assert seen == ["pc.office.local."]
