"""The same response policy zones in real BIND and here, in several orders: the same rcode and data, asked twice.

What BIND 9.18 does, and we follow: `docs/rpz.md`. Names, CNAME chains, DNAMEs, addresses of answers and of clients.
"""

from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.message
import dns.query
import pytest

from tests import servers
from tests.policy.test_rpz_against_unbound import Outcome, outcome
from tests.product import product

WORLD = """
$ORIGIN .
$TTL 300
@ SOA ns. host. 1 3600 600 86400 60
@ NS ns.
ns. A 127.0.0.1
*.example.org. A 192.0.2.2
*.example.org. AAAA 2001:db8::2
*.example.net. A 192.0.2.3
listed.example.org. CNAME gone.example.net.
twice.example.org. CNAME middle.example.net.
middle.example.net. CNAME gone.example.net.
data.example.org. CNAME local.example.net.
walled.example.org. CNAME garden.example.net.
spared.example.org. CNAME pass.example.net.
pass.example.net. CNAME bad1.example.net.
bad1.example.net. A 198.51.100.66
bad2.example.net. A 198.51.100.67
bad2.example.net. A 203.0.113.5
bad3.example.net. AAAA 2001:db8:8::1
chained.example.org. CNAME bad1.example.net.
moved.example.net. DNAME listed.example.net.
"""
HEAD = "$TTL 60\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\n  NS localhost.\n"
ONE = """\
*.wild.example.net CNAME .
a.b.wild.example.net CNAME rpz-passthru.
*.w.x.wild.example.net CNAME *.
dname.wild.example.net DNAME other.example.net.
*.garden2.example.net CNAME *.garden.example.org.
gone.example.net CNAME .
local.example.net A 192.0.2.80
local.example.net TXT "local"
garden.example.net CNAME welcome.example.org.
pass.example.net CNAME rpz-passthru.
*.listed.example.net CNAME .
self.example.net CNAME self.example.net.
tcp.example.net CNAME rpz-tcp-only.
drop.example.net CNAME rpz-drop.
32.66.100.51.198.rpz-ip CNAME .
24.0.100.51.198.rpz-ip A 192.0.2.99
32.2.0.0.127.rpz-client-ip CNAME rpz-passthru.
32.3.0.0.127.rpz-client-ip A 192.0.2.66
33.4.0.0.127.rpz-client-ip CNAME .
24.1.0.113.203.rpz-ip CNAME .
"""
TWO = """\
32.66.100.51.198.rpz-ip CNAME rpz-passthru.
48.zz.8.db8.2001.rpz-ip CNAME *.
24.0.2.0.192.rpz-ip A 192.0.2.98
middle.example.net CNAME rpz-passthru.
bad1.example.net CNAME *.
*.wild.example.net CNAME *.
32.3.0.0.127.rpz-client-ip CNAME rpz-passthru.
32.4.0.0.127.rpz-client-ip CNAME *.elsewhere.example.org.
"""
THREE = """\
bad2.example.net CNAME rpz-passthru.
listed.example.org CNAME rpz-passthru.
a.b.wild.example.net CNAME .
32.5.0.0.127.rpz-client-ip CNAME rpz-drop.
32.6.0.0.127.rpz-client-ip CNAME *.
"""
ZONES = {"one.rpz": ONE, "two.rpz": TWO, "three.rpz": THREE}
LONG = ".".join(["a" * 60] * 3 + ["b" * 30]) + ".garden2.example.net"
NAMES = [
    *(f"{name}.example.org" for name in (
        "www", "listed", "twice", "data", "walled", "spared", "chained")),
    *(f"{name}.example.net" for name in (
        "z.wild", "wild", "b.wild", "z.b.wild", "a.b.wild", "x.wild", "w.x.wild", "z.w.x.wild", "dname.wild",
        "z.dname.wild", "z.garden2", "gone", "local", "garden", "pass", "self", "tcp", "bad1", "bad2", "bad3",
        "z.moved")),
    LONG,
]  # fmt: skip
QUESTIONS = [(name, kind) for name in NAMES for kind in ("A", "AAAA", "TXT", "CNAME")]
CLIENTS = [f"127.0.0.{number}" for number in range(2, 8)]
OF_CLIENTS = [("www.example.org", "A"), ("listed.example.org", "A"), ("z.wild.example.net", "TXT")]


def ask(port: int, name: str, kind: str, source: str = "127.0.0.1") -> Outcome:
    try:
        query = dns.message.make_query(name, kind)
        return outcome(dns.query.udp(query, "127.0.0.1", 1.0, port, source))
    except dns.exception.Timeout:
        return "silent", ()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with servers.nsd(tmp_path_factory.mktemp("world"), {".": WORLD}) as server:
        yield server


@pytest.mark.parametrize(
    "order",
    [("one.rpz", "two.rpz"), ("two.rpz", "one.rpz"), ("three.rpz", "two.rpz", "one.rpz")],
    ids="+".join,
)
def test_the_same_answers_as_bind(tmp_path, world, order):
    more = '[model]\nmode = "off"\n'
    for origin in order:
        path = tmp_path / origin
        path.write_text(f"$ORIGIN {origin}.\n{HEAD}{ZONES[origin]}")
        more += f'[[lists]]\nname = "{origin}"\nsource = "{path}"\n'
    zones = {origin: HEAD + ZONES[origin] for origin in order}
    asked = [(*question, "127.0.0.1") for question in QUESTIONS]
    asked += [(*question, client) for client in CLIENTS for question in OF_CLIENTS]
    with (
        servers.named(tmp_path / "named", world, zones) as bind,
        product(tmp_path / "product", world, more) as running,
        ThreadPoolExecutor(16) as pool,
    ):
        for _ in range(2):  # from the cache too
            theirs = list(pool.map(lambda question: ask(bind.port, *question), asked))
            ours = list(pool.map(lambda question: ask(running.port, *question), asked))
            said = zip(asked, ours, theirs, strict=True)
            assert [one for one in said if one[1] != one[2]] == []
