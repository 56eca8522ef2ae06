"""Whatever is read of a stranger's answer can be read by a strict client: dnspython, on many kinds of record."""

import dns.edns
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.wire.answers import to_wire
from namewarden.wire.errors import Unreadable, WireError
from namewarden.wire.message import any_answer, read_answer, read_query
from namewarden.wire.rdata import USUAL
from namewarden.wire.received import receive

NAME = "www.example.org."
RECORDS = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "AAAA": ["2001:db8::1"],
    "NS": ["ns1.example.org.", "ns2.example.net."],
    "CNAME": ["web.example.org."],
    "SOA": ["ns1.example.org. host.example.org. 1 2 3 4 60"],
    "PTR": ["host.www.example.org."],
    "MX": ["10 mx.example.org.", "20 mx.example.net."],
    "TXT": ['"one" "two"', '""'],
    "SRV": ["1 2 443 host.example.org."],
    "DNAME": ["other.example.net."],
    "DS": ["1 8 2 " + "ab" * 32],
    "RRSIG": ["A 13 3 300 20300101000000 20200101000000 1 example.org. AAAA"],
    "NSEC": ["a.example.org. A MX TYPE1234"],
    "DNSKEY": ["257 3 13 AAAA"],
    "NSEC3": ["1 0 5 abcd 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"],
    "SVCB": ["1 svc.example.net. mandatory=alpn alpn=h2 port=8443"],
    "HTTPS": ["1 . alpn=h3,h2 ipv4hint=192.0.2.1,192.0.2.2 ech=AAQAAAAA ipv6hint=2001:db8::1",
              "0 alias.example.net."],
    "CAA": ['0 issue "ca.example.net"'],
    "NAPTR": ['1 2 "S" "SIP+D2U" "" _sip._udp.example.org.'],
    "RP": ["host.example.org. text.example.org."],
    "LOC": ["52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m"],
    "TLSA": ["3 1 1 " + "cd" * 32],
    "TYPE65280": ["\\# 3 c00c00"],
}  # fmt: skip


def query_of(kind="A"):
    asked = dns.message.make_query(NAME, kind, use_edns=0, id=7)
    return read_query(asked.to_wire(), "192.0.2.9", "udp", 5.0)


def message_of(answer, authority=(), additional=(), kind="A"):
    message = dns.message.make_response(dns.message.make_query(NAME, kind, use_edns=0, id=7))
    for section, records in (
        (message.answer, answer), (message.authority, authority), (message.additional, additional)
    ):  # fmt: skip
        for owner, rdtype in records:
            section.append(dns.rrset.from_text_list(owner, 300, "IN", rdtype, RECORDS[rdtype]))
    return message


def corpus():
    for kind in RECORDS:
        yield message_of([(NAME, kind)], [("example.org.", "SOA")], [("mx.example.org.", "A")])
    yield message_of([(NAME, "CNAME"), ("web.example.org.", "A")], [("example.org.", "NS")])
    yield message_of([(NAME, "A"), (NAME, "RRSIG")], [("example.org.", "NSEC")])


CORPUS = [message.to_wire() for message in corpus()]
IDS = [*RECORDS, "chain", "signed"]


def sent_on(query, data):
    """What a client gets, 100 s later."""
    answer = read_answer(data, query.question, 1.0)
    return dns.message.from_wire(to_wire(query, answer, 101.0, 65535))


@pytest.mark.parametrize("data", CORPUS, ids=IDS)
def test_every_kind_of_record_is_passed_on_as_it_was(data):
    got, meant = sent_on(query_of(), data), dns.message.from_wire(data)
    assert got.sections == meant.sections and len(got.answer[0]) == len(meant.answer[0])


def test_the_usual_types_are_tried_here():
    assert USUAL <= {dns.rdatatype.from_text(kind) for kind in RECORDS}


def mangle(data, draw):
    mangled = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(2, len(mangled) - 1))
        mangled[at] = draw(
            st.one_of(
                st.integers(0, 255), st.sampled_from([0, 1, 2, 3, 4, 12, 16, 41, 64, 192, 193])
            )
        )
    if draw(st.booleans()):
        at, count = draw(st.integers(12, len(mangled))), draw(st.integers(1, 4))
        mangled[at:at] = draw(st.binary(min_size=count, max_size=count))
    return bytes(mangled)


def outcome(read, *given):
    try:
        return read(*given)
    except WireError as error:
        return type(error), error.reason


@given(st.data())
def test_what_is_read_can_be_read_by_a_strict_client_and_both_twins_agree(data):
    octets = mangle(data.draw(st.sampled_from(CORPUS)), data.draw)
    query = query_of()
    given = octets, query.question, 1.0, ""
    found = outcome(read_answer, *given)
    assert found == outcome(any_answer, *given), octets.hex()
    if not isinstance(found, tuple):
        found = receive(*given)
        dns.message.from_wire(to_wire(query, found, 101.0, 65535))


def raw(*records, sections=(0, 0), tail=b"", opcode=0):
    """An answer with records given as (owner, type, class, rdata octets)."""
    query = query_of()
    counts = (len(records) - sum(sections), *sections)
    header = b"\0\7" + bytes((0x81 | opcode << 3, 0x80)) + b"\0\1"
    body = b"".join(
        owner
        + kind.to_bytes(2)
        + rdclass.to_bytes(2)
        + b"\0\0\1\x2c"
        + len(rdata).to_bytes(2)
        + rdata
        for owner, kind, rdclass, rdata in records
    )
    return header + b"".join(n.to_bytes(2) for n in counts) + query.question + body + tail


WWW = b"\xc0\x0c"
OPT = (b"\0", 41, 1232, b"")


@pytest.mark.parametrize(
    "data",
    [
        raw((WWW, 1, 1, b"\xc0\0\2")),
        raw((WWW, 28, 1, bytes(15))),
        raw((WWW, 5, 1, b"\xc0\xff")),
        raw((WWW, 5, 1, b"\xc0\x2d")),
        raw((WWW, 5, 1, b"\xc0\x00")),
        raw((WWW, 5, 1, b"\xc0\x0c\0")),
        raw((WWW, 15, 1, b"\0\1\xc0\xff")),
        raw((WWW, 15, 1, b"\0")),
        raw((WWW, 16, 1, b"\x20abc")),
        raw((WWW, 16, 1, b"")),
        raw((WWW, 33, 1, b"\0\0\0\0\0\0")),
        raw((WWW, 65, 1, b"\0\1\0\0\3\0\1\0")),
        raw((WWW, 65, 1, b"\0\1\xc0\x0c")),
        raw((WWW, 6, 1, b"\0\0" + bytes(19)), sections=(1, 0)),
        raw((WWW, 47, 1, b"\0\0\1\0"), sections=(1, 0)),
        raw((WWW, 50, 1, bytes(6)), sections=(1, 0)),
        raw((b"\xc0\x1d", 1, 1, bytes(4))),
        raw((b"\xc0\x04", 1, 1, bytes(4))),
        raw((WWW, 1, 3, b"\xc0\0\2\7")),
        raw((WWW, 1, 1, bytes(4)), tail=b"\0"),
        raw((WWW, 1, 1, bytes(4)), opcode=4),
        raw((WWW, 1, 1, bytes(4)), OPT, (b"\0", 250, 255, bytes(16)), sections=(0, 2)),
        raw((WWW, 1, 1, bytes(4)), (WWW, *OPT[1:]), sections=(0, 1)),
        raw(*[(WWW, 35, 1, b"\0\1\0\1\0\0\0\0")] * 257),
        # A pointer into the TTL of the first record: it is another when the answer is sent on.
        raw((WWW, 1, 1, bytes(4)), (b"\xc0\x27", 1, 1, bytes(4))),
    ],
)  # fmt: skip
def test_what_a_strict_client_cannot_read_is_not_read(data):
    with pytest.raises(Unreadable):
        read_answer(data, query_of().question, 1.0)
    with pytest.raises(Unreadable):
        any_answer(data, query_of().question, 1.0)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_opt_is_understood_wherever_it_stands(place):
    """What follows it keeps its names: they may be compressed against each other."""
    ede = dns.edns.EDEOption(dns.edns.EDECode.STALE_ANSWER, "old")
    error = b"\0\x0f" + len(ede.to_wire() or b"").to_bytes(2) + (ede.to_wire() or b"")
    extra = [(b"\3ns1" + WWW, 1, 1, b"\xc0\0\2\1"), (b"\3ns2" + WWW, 15, 1, b"\0\1" + WWW)]
    extra.insert(place, (b"\0", 41, 1232, error))
    data = raw((WWW, 1, 1, b"\xc0\0\2\7"), *extra, sections=(0, 3))
    query = query_of()
    assert read_answer(data, query.question, 1.0).ede == ((3, "old"),)
    got = sent_on(query, data)
    assert got.answer[0][0].to_text() == "192.0.2.7"
    assert [rrset.to_text() for rrset in got.additional] == [
        f"ns1.{NAME} 200 IN A 192.0.2.1", f"ns2.{NAME} 200 IN MX 1 {NAME}",
    ]  # fmt: skip


def test_a_name_behind_opt_may_be_a_pointer_to_one_that_moves():
    deep = b"\4deep\3ns1" + WWW
    data = raw((WWW, 1, 1, b"\xc0\0\2\7"), OPT, (deep, 1, 1, bytes(4)), sections=(0, 2))
    behind = (
        (0xC000 + len(data) - 14 - len(deep)).to_bytes(2) + b"\0\1\0\1\0\0\1\x2c\0\4" + bytes(4)
    )
    whole = data[:10] + b"\0\3" + data[12:] + behind
    got = sent_on(query_of(), whole)
    assert got.additional == dns.message.from_wire(whole).additional and len(got.additional[0]) == 1


def test_extended_rcode_survives_where_opt_is_not_last():
    opt = b"\0\0\x29\x04\xd0\1\0\0\0\0\0"
    record = WWW + b"\0\1\0\1\0\0\0\0\0\4" + bytes(4)
    data = raw(sections=(0, 0))[:10] + b"\0\2" + query_of().question + opt + record
    assert read_answer(data, query_of().question, 1.0).rcode == 16
