"""The table of special names finds what it holds and nothing else."""

from pathlib import Path

import pytest

from namewarden.stages.special import (
    EMPTY,
    FIXED,
    LOOPBACK,
    NODATA,
    NXDOMAIN,
    ZONES,
    public_tlds,
    zone_of,
)


@pytest.mark.parametrize(
    ("name", "zone", "kind"),
    [
        ("localhost.", "localhost.", LOOPBACK),
        ("a.b.localhost.", "localhost.", LOOPBACK),
        ("x.onion.", "onion.", NXDOMAIN),
        ("printer.local.", "local.", NXDOMAIN),
        ("_dns.resolver.arpa.", "resolver.arpa.", NODATA),
        ("nas.home.arpa.", "home.arpa.", EMPTY),
        ("5.1.168.192.in-addr.arpa.", "168.192.in-addr.arpa.", EMPTY),
        ("1.0.31.172.in-addr.arpa.", "31.172.in-addr.arpa.", EMPTY),
        ("1.0.127.100.in-addr.arpa.", "127.100.in-addr.arpa.", EMPTY),
        ("1." + "0." * 27 + "0.8.e.f.ip6.arpa.", "8.e.f.ip6.arpa.", EMPTY),
        ("use-application-dns.net.", "use-application-dns.net.", NXDOMAIN),
    ],
)
def test_what_is_special(name, zone, kind):
    assert zone_of(name) == zone and ZONES[zone] == kind


@pytest.mark.parametrize(
    "name",
    [".", "example.", "example.com.", "example.net.", "www.example.org.", "notlocal.", "xlocalhost.",
     "8.8.8.8.in-addr.arpa.", "1.0.32.172.in-addr.arpa.", "1.0.63.100.in-addr.arpa.", "arpa.",
     "in-addr.arpa.", "icloud.com.", "www.icloud.com.", "test.example.org.", "local.example.org."],
)  # fmt: skip
def test_what_is_not(name):
    assert zone_of(name) is None


def test_every_special_name_is_on_its_page():
    page = (Path(__file__).parents[2] / "docs" / "names.md").read_text()
    ranges = [f"{n}.172.in-addr.arpa." for n in range(17, 31)]
    ranges += [f"{n}.100.in-addr.arpa." for n in range(65, 127)]
    for name in ZONES.keys() - set(ranges):
        short = name.removesuffix(".in-addr.arpa.").removesuffix(".ip6.arpa.").removesuffix(".")
        assert f"`{short}`" in page or short.count("0.") >= 30, name
    for name in FIXED:
        (line,) = [row for row in page.splitlines() if row.startswith(f"| `{name[:-1]}` |")]
        assert "**always**" in line


def test_top_level_domains_are_known_in_ascii():
    tlds = public_tlds()
    assert {"com", "org", "de", "xn--p1ai"} <= tlds and len(tlds) > 1000
    assert all(tld.isascii() for tld in tlds) and "lan" not in tlds
