"""Real caches in front of the product say of what it denies what it said, however often they are asked."""

import dns.message
import dns.query
import dns.rcode
import pytest

from tests import servers
from tests.product import product

WORLD = """
$ORIGIN .
$TTL 300
@ SOA ns. host. 1 3600 600 86400 60
@ NS ns.
ns. A 127.0.0.1
* A 192.0.2.1
*.com. A 192.0.2.1
"""
ZONE = """$ORIGIN rpz.test.
gone.example.net CNAME .
a.gone.example.net CNAME .
none.example.net CNAME *.
www.bad.com CNAME .
bad.com CNAME .
"""
# name → what each of three queries gets; in this order, so that a denial that says too much is seen below
ASKED = {
    "gone.example.net": ("NXDOMAIN", 0),
    "none.example.net": ("NOERROR", 0),
    "a.gone.example.net": ("NXDOMAIN", 0),
    "open.gone.example.net": ("NOERROR", 1),
    "open.example.net": ("NOERROR", 1),
    "listed.example.net": ("NXDOMAIN", 0),
    "bad.com": ("NXDOMAIN", 0),
    "www.bad.com": ("NXDOMAIN", 0),  # the other way round dnsmasq says NODATA of bad.com
    "good.com": ("NOERROR", 1),
    "intranet": ("NXDOMAIN", 0),
    "com": ("NOERROR", 0),
    "www.box.invalid": ("NXDOMAIN", 0),
    "other.own.lan": ("NOERROR", 1),
}


@pytest.fixture(scope="module")
def denying(tmp_path_factory):
    folder = tmp_path_factory.mktemp("denying")
    (folder / "zone").write_text(ZONE)
    (folder / "plain").write_text("listed.example.net\n")
    more = f"""[local]
records = ["other.own.lan. 300 A 192.0.2.7"]
[model]
mode = "off"
[[groups]]
name = "default"
block = "nxdomain"
[[lists]]
name = "zone"
source = "{folder}/zone"
[[lists]]
name = "plain"
source = "{folder}/plain"
"""
    with (
        servers.nsd(folder / "world", {".": WORLD}) as world,
        product(folder / "product", world, more) as running,
    ):
        assert running.process is not None
        yield servers.Server("127.0.0.1", running.port, running.process)


@pytest.mark.parametrize("program", servers.FRONTS)
def test_three_times_the_same(denying, program, tmp_path):
    with servers.front(program, tmp_path / program, denying) as cache:
        for name, expected in ASKED.items():
            query = dns.message.make_query(name, "A")
            replies = [dns.query.udp(query, "127.0.0.1", 5, cache.port) for _ in range(3)]
            said = [(dns.rcode.to_text(reply.rcode()), len(reply.answer)) for reply in replies]
            assert said == [expected] * 3, name


def test_without_a_cache_between(denying):
    for name, (rcode, _) in ASKED.items():
        reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", 5, denying.port)
        assert dns.rcode.to_text(reply.rcode()) == rcode, name
        if not reply.answer and "." in name:
            assert reply.authority[0].name in (
                dns.name.from_text(name).parent(),
                dns.name.from_text("invalid"),
            )
