"""Own records are read with all problems at once, and answer as a small zone would."""

import pytest

from namewarden.stages import own
from tests.asking import message, query, texts

LINES = (
    "nas.lan. 300 A 192.168.1.5",
    "nas.lan. 60 A 192.168.1.6",
    "NAS.lan. AAAA fd00::5",
    "alias.lan. 30 CNAME alias2.lan.",
    "alias2.lan. CNAME nas.lan.",
    "away.lan. CNAME www.example.org.",
    "ring.lan. CNAME ring2.lan.",
    "ring2.lan. CNAME ring.lan.",
    "*.dev.lan. A 192.168.1.7",
    "own.dev.lan. TXT \"two words\" three",
    "lan. MX 10 nas.lan.",
    "_sip._udp.lan. SRV 0 0 5060 nas.lan.",
    "5.1.168.192.in-addr.arpa. PTR nas.lan.",
    "svc.lan. HTTPS 1 . alpn=h2",
    "odd\\.label.lan. A 192.168.1.8",
)  # fmt: skip


@pytest.fixture(scope="module")
def records():
    read = own.read(LINES)
    assert read.problems == []
    return read


def ask(records, name, qtype="A"):
    asked = query(name, qtype)
    found = own.answer(asked, records)
    return None if found is None else texts(asked, found[0])


def made(records, name, qtype="A"):
    found = own.answer(query(name, qtype), records)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "qtype", "data"),
    [
        ("NAS.lan", "A", ["192.168.1.5", "192.168.1.6"]),
        ("nas.lan", "AAAA", ["fd00::5"]),
        ("nas.lan", "TXT", []),
        ("alias.lan", "A", ["alias2.lan.", "nas.lan.", "192.168.1.5", "192.168.1.6"]),
        ("alias.lan", "CNAME", ["alias2.lan."]),
        ("alias.lan", "TXT", ["alias2.lan.", "nas.lan."]),
        ("away.lan", "A", ["www.example.org."]),
        ("x.y.dev.lan", "A", ["192.168.1.7"]),
        ("dev.lan", "A", None),
        ("own.dev.lan", "A", []),
        ("own.dev.lan", "TXT", ['"two words" "three"']),
        ("lan", "MX", ["10 nas.lan."]),
        ("_sip._udp.lan", "SRV", ["0 0 5060 nas.lan."]),
        ("5.1.168.192.in-addr.arpa", "PTR", ["nas.lan."]),
        ("svc.lan", "HTTPS", ['1 . alpn="h2"']),
        ("odd\\.label.lan", "A", ["192.168.1.8"]),
        ("other.lan", "A", None),
    ],
)
def test_records_answer(records, name, qtype, data):
    assert ask(records, name, qtype) == data


def test_a_denial_carries_an_soa_and_a_chain_its_names(records):
    asked = query("alias.lan", "TXT")
    answer, leaves = made(records, "alias.lan", "TXT")
    assert len(message(asked, answer).authority) == 1 and not leaves
    assert answer.cnames == ("alias2.lan.", "nas.lan.") and answer.ttl == own.DENIAL_TTL
    answer, leaves = made(records, "away.lan")
    assert leaves == "www.example.org." and answer.ttl == own.DEFAULT_TTL


def test_a_ring_of_aliases_ends(records):
    answer, leaves = made(records, "ring.lan")
    assert answer.counts[0] == own.MOST_HOPS and not leaves


def test_addresses_are_told(records):
    answer, _ = made(records, "alias.lan")
    assert answer.addresses == ("192.168.1.5", "192.168.1.6")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("6.1.168.192.in-addr.arpa", ["nas.lan."]),
        ("8.1.168.192.in-addr.arpa", ["odd\\.label.lan."]),
        ("7.1.168.192.in-addr.arpa", None),  # of a wildcard
        ("5." + "0." * 29 + "d.f.ip6.arpa", ["nas.lan."]),
    ],
)
def test_addresses_have_pointers(records, name, data):
    assert ask(records, name, "PTR") == data


def test_pointers_that_are_written_win_and_names_of_one_address_share_it():
    read = own.read(
        ["a.lan. 60 A 192.168.1.1", "b.lan. A 192.168.1.1", "B.lan. A 192.168.1.1", "c.lan. A 192.168.1.2",
         "2.1.168.192.in-addr.arpa. PTR other.lan.", "2.1.168.192.in-addr.arpa. TXT x", "d.lan. A 192.168.1.3",
         "3.1.168.192.in-addr.arpa. TXT y", "e.lan. A 127.0.0.1", "f.lan. A 0.0.0.0", "g.lan. AAAA ::"]
    )  # fmt: skip
    assert ask(read, "1.1.168.192.in-addr.arpa", "PTR") == ["a.lan.", "b.lan."]
    assert ask(read, "2.1.168.192.in-addr.arpa", "PTR") == ["other.lan."]
    assert ask(read, "3.1.168.192.in-addr.arpa", "PTR") == ["d.lan."]
    assert ask(read, "3.1.168.192.in-addr.arpa", "TXT") == ['"y"']
    assert ask(read, "1.0.0.127.in-addr.arpa", "PTR") is None
    assert ask(read, "0.0.0.0.in-addr.arpa", "PTR") is None
    answer, _ = made(read, "1.1.168.192.in-addr.arpa", "PTR")
    assert answer.ttl == 60


def test_all_problems_are_told_at_once():
    bad = ["nas.lan. A 300.1.1.1", "nas.lan. A 192.168.1.1", "", "$INCLUDE /etc/passwd",
           "a.lan. A 1.1.1.1\nb.lan. A 1.1.1.1", "x.lan. CH A 1.1.1.1", "x.lan. AXFR x", "nonsense"]  # fmt: skip
    read = own.read(bad)
    assert [problem.split(":")[0] for problem in read.problems] == [
        f"local.records.{n}" for n in (0, 2, 3, 4, 5, 6, 7)
    ]
    assert list(read.owners) == ["nas.lan."]
