"""What is answered here, and that nothing else is."""

import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest

from namewarden.query import Answer
from namewarden.stages import own
from namewarden.stages.cache import NOT_KEPT
from namewarden.stages.forward import forward
from namewarden.stages.local import local
from namewarden.stages.special import public_tlds
from tests.asking import message, query, texts
from tests.net.asking import upstreams

RECORDS = own.read(
    ["nas.lan. A 192.168.1.5", "printer.local. A 192.168.1.9", "away.lan. CNAME chain.example.org.",
     "lost.lan. CNAME none.example.org."]
)  # fmt: skip
STAGE = local(RECORDS, ["corp.lan", ".Office.Example.ORG."], public_tlds())


async def passed_on(_query):
    return Answer(0, status="FORWARDED")


async def ask(name, qtype="A", following=passed_on, **options):
    asked = query(name, qtype, **options)
    answer = await STAGE(asked, following)
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


@pytest.mark.parametrize("rdclass", [3, 4, 254, 255])
async def test_who_we_are_is_not_told(rdclass):
    answer, said = await ask("version.bind", "TXT", rdclass=dns.rdataclass.RdataClass.make(rdclass))
    assert (answer.rcode, said.answer) == (5, [])


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
