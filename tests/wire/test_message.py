"""Messages against dnspython, and junk: a Query, an Answer or a WireError, nothing else."""

from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from namewarden.wire.errors import WireError
from namewarden.wire.message import (
    any_answer,
    any_echo,
    any_mixed,
    any_query,
    echo,
    mixed,
    query_for,
    read_answer,
    read_query,
    same_question,
    write_query,
)


def ask(name="www.exAmple.org", kind="A", **options):
    return dns.message.make_query(name, kind, id=7, **options).to_wire()


def parse(data):
    return read_query(data, "192.0.2.9", "udp", 5.0)


def test_a_plain_query_is_read():
    query = parse(ask())
    assert (query.id, query.name, query.qtype, query.qclass) == (7, "www.example.org.", 1, 1)
    assert (query.rd, query.ad, query.cd, query.do, query.payload) == (True, False, False, False, 0)
    assert query.question == b"\x03www\x07exAmple\x03org\0\0\x01\0\x01"


def test_edns_and_flags_are_read():
    query = parse(
        ask(kind="HTTPS", want_dnssec=True, payload=4096, flags=dns.flags.CD | dns.flags.AD)
    )
    assert (query.qtype, query.do, query.payload, query.cd, query.ad, query.rd) == (
        65, True, 4096, True, True, False,
    )  # fmt: skip
    assert parse(ask(use_edns=0, payload=100)).payload == 512


def test_a_query_that_no_client_sent_is_the_one_that_would_have_been_read():
    made = query_for("www.exAmple.org", 28, "192.0.2.9", "udp", 5.0)
    sent = ask(kind="AAAA", use_edns=0, payload=1232)
    assert made == replace(parse(sent), id=0)
    with pytest.raises(WireError):
        query_for("a" * 64 + ".example.org", 1, "192.0.2.9", "udp", 5.0)


def rcode_of(error):
    return dns.message.from_wire(error.value.reply).rcode()


@pytest.mark.parametrize(
    ("data", "rcode"),
    [
        (ask()[:2] + b"\x28\0" + ask()[4:], 4),  # opcode UPDATE
        (ask()[:5] + b"\x02" + ask()[6:], 1),  # two questions
        (ask()[:7] + b"\x01" + ask()[8:], 1),  # an answer in a query
        (ask()[:-1], 1),
        (ask() + b"junk", 1),
        (ask(use_edns=1), 16),
        (ask(use_edns=0) + ask(use_edns=0)[-11:], 1),
        (ask(use_edns=0)[:11] + b"\x02" + ask(use_edns=0)[12:] + ask(use_edns=0)[-11:], 1),
        (ask(use_edns=0)[:-1] + b"\x09", 1),
    ],
)
def test_wrong_queries_get_their_rcode(data, rcode):
    with pytest.raises(WireError) as error:
        parse(data)
    assert rcode_of(error) == rcode
    assert (error.value.reply or b"")[:2] == b"\0\x07"


@pytest.mark.parametrize("cut", [lambda d: d[:2] + b"\x28\0" + d[4:], lambda d: d + b"junk"])
def test_who_speaks_edns_is_refused_with_opt(cut):
    """NOTIMP and FORMERR; RFC 6891 §7."""
    for edns in (-1, 0):
        with pytest.raises(WireError) as error:
            parse(cut(ask(use_edns=edns)))
        assert dns.message.from_wire(error.value.reply or b"").edns == edns


@pytest.mark.parametrize("data", [b"", b"\0" * 11, b"\0\x07\x80\0" + ask()[4:]])
def test_what_cannot_be_answered_is_met_with_silence(data):
    with pytest.raises(WireError) as error:
        parse(data)
    assert error.value.reply is None


@given(st.binary(max_size=300))
def test_junk_is_a_query_or_a_wire_error(data):
    for whole in (data, ask(use_edns=0)[:12] + data, ask(use_edns=0)[:33] + data):
        try:
            parse(whole)
        except WireError as error:
            assert error.reply is None or dns.message.from_wire(error.reply)


def answered(*texts, rcode=0, authority=(), edns=0, options=()):
    request = dns.message.from_wire(ask(use_edns=edns))
    reply = dns.message.make_response(request, recursion_available=True)
    reply.answer = [dns.rrset.from_text_list(*record) for record in texts]
    reply.authority = [dns.rrset.from_text_list(*record) for record in authority]
    if edns is not False:
        reply.use_edns(0, options=list(options))
    reply.set_rcode(rcode)
    return request, reply.to_wire()


SOA = "example.org.", 900, "IN", "SOA", ["ns.example.org. admin.example.org. 1 2 3 4 60"]
CHAIN = (
    ("www.example.org.", 300, "IN", "CNAME", ["cdn.example.net."]),
    ("cdn.example.net.", 60, "IN", "A", ["192.0.2.1", "192.0.2.2"]),
    ("cdn.example.net.", 60, "IN", "AAAA", ["2001:db8::1"]),
)


def test_an_answer_keeps_all_records_but_opt():
    request, data = answered(*CHAIN)
    question = parse(request.to_wire()).question
    answer = read_answer(data, question, 9.0)
    assert answer.counts == (4, 0, 0) and answer.ttl == 60 and len(answer.ttls) == 4
    assert answer.cnames == ("cdn.example.net.",)
    assert sorted(answer.addresses) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    for offset in answer.ttls:
        assert int.from_bytes(answer.body[offset : offset + 4]) in (60, 300)


def test_a_negative_answer_lives_as_its_soa_says():
    request, data = answered(rcode=3, authority=[SOA])
    answer = read_answer(data, parse(request.to_wire()).question, 0.0)
    assert (answer.rcode, answer.ttl, answer.counts) == (3, 60, (0, 1, 0))


def test_a_denial_behind_a_chain_lives_as_its_soa_says_and_without_one_not_at_all():
    request, data = answered(CHAIN[0], authority=[SOA])
    assert read_answer(data, parse(request.to_wire()).question, 0.0).ttl == 60
    request, data = answered(rcode=3)
    assert read_answer(data, parse(request.to_wire()).question, 0.0).ttl == 0


def test_a_chain_is_read_to_a_length_and_no_further():
    links = [
        (f"n{at}.example.org.", 60, "IN", "CNAME", [f"n{at + 1}.example.org."]) for at in range(33)
    ]
    request, data = answered(*links[:32])
    assert len(read_answer(data, parse(request.to_wire()).question, 0.0).cnames) == 32
    request, data = answered(*links)
    with pytest.raises(WireError, match="CNAMEs"):
        read_answer(data, parse(request.to_wire()).question, 0.0)


def test_extended_errors_and_rcodes_are_read():
    request, data = answered(
        rcode=16, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "bogus")]
    )
    answer = read_answer(data, parse(request.to_wire()).question, 0.0)
    assert answer.rcode == 16 and answer.ede == ((6, "bogus"),)


def test_an_answer_to_another_question_is_refused():
    _, data = answered(*CHAIN)
    other = parse(ask("other.example.org")).question
    with pytest.raises(WireError):
        read_answer(data, other, 0.0)
    assert same_question(b"\x01A\0\0\x01\0\x01", b"\x01a\0\0\x01\0\x01")
    assert not same_question(b"\x01a\0\0\x41\0\x01", b"\x01a\0\0\x61\0\x01")


@given(st.data())
def test_mangled_answers_are_an_answer_or_a_wire_error(data):
    request, good = answered(*CHAIN, authority=[SOA])
    mangled = bytearray(good)
    for _ in range(data.draw(st.integers(0, 4))):
        mangled[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(mangled[: data.draw(st.integers(0, len(good)))])
    for octets in (bytes(mangled), cut):
        try:
            read_answer(octets, parse(request.to_wire()).question, 0.0)
        except WireError:
            pass


def test_what_is_asked_upstream_carries_nothing_of_the_client_but_the_question():
    option = dns.edns.ECSOption("192.0.2.0", 24)
    query = parse(ask(use_edns=0, options=[option], want_dnssec=True))
    asked = dns.message.from_wire(write_query(query, 99, 1232))
    assert asked.id == 99 and asked.options == () and asked.payload == 1232
    assert asked.ednsflags & dns.flags.DO and asked.flags & dns.flags.RD
    assert asked.question[0].name.to_text() == "www.exAmple.org."


# The C helper, where it was built, and its twin say the same of every message.


def outcome(read, *given):
    try:
        return read(*given)
    except WireError as error:
        return error.reason, error.reply


def check_answer(data, question):
    given = data, question, 3.0, "192.0.2.53:53"
    assert outcome(read_answer, *given) == outcome(any_answer, *given), data.hex()


def check_query(data):
    given = data, "192.0.2.9", "udp", 5.0
    assert outcome(read_query, *given) == outcome(any_query, *given), data.hex()


OPTIONS = [dns.edns.CookieOption(b"12345678", b""), dns.edns.GenericOption("PADDING", b"")]
ANSWERS = [
    answered(*CHAIN),
    answered(*CHAIN, edns=False),
    answered(*CHAIN, authority=[SOA], options=OPTIONS),
    answered(rcode=3, authority=[SOA]),
    answered(rcode=16, options=[dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS, "bogus")]),
    answered(("www.example.org.", 300, "IN", "CNAME", ["r\\\\o\\.t.example.net."])),
    answered(("www.example.org.", 300, "IN", "CNAME", ["."])),
    answered(("www.example.org.", 2**31 - 1, "IN", "A", [f"10.200.3.{n}" for n in range(40)])),
    answered(("www.example.org.", 300, "IN", "TXT", ['"' + "x" * 250 + '"'])),
]


@pytest.mark.parametrize("at", range(len(ANSWERS)))
def test_both_twins_read_an_answer_and_all_that_is_cut_from_it(at):
    request, data = ANSWERS[at]
    question = request.to_wire()[12 : 12 + len(parse(ask()).question)]
    for end in range(len(data) + 1):
        check_answer(data[:end], question)
    check_answer(data + b"\0", question)
    check_answer(data, question.upper())
    check_answer(data, b"")
    check_answer(data, question[:-1] + b"\2")


@pytest.mark.parametrize(
    "address",
    ["::", "::1", "1::", "2001:db8::1", "0:0:1:0:0:1:0:0", "1:0:1:0:0:1:0:0", "1:2:3:4:5:6:7:8",
     "1:0:2:3:4:5:6:7", "::ffff:192.0.2.1", "::192.0.2.1", "fe80::a:0:b", "0:1::", "::1:0:0:0:0"],
)  # fmt: skip
def test_both_twins_write_an_ipv6_address_alike(address):
    request, data = answered(("www.example.org.", 60, "IN", "AAAA", [address]))
    question = parse(request.to_wire()).question
    check_answer(data, question)
    assert read_answer(data, question, 0.0).addresses == (str(ip_address(address)),)


@given(st.data())
def test_both_twins_read_mangled_answers_alike(data):
    request, good = data.draw(st.sampled_from(ANSWERS))
    mangled = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        mangled[data.draw(st.integers(0, len(good) - 1))] = data.draw(
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 5, 6, 28, 41, 192, 12]))
        )
    check_answer(bytes(mangled), parse(request.to_wire()).question)


@given(st.data())
def test_both_twins_read_mangled_queries_alike(data):
    options = data.draw(st.sampled_from([[], OPTIONS]))
    edns = data.draw(st.sampled_from([-1, 0, 1]))
    mangled = bytearray(ask(use_edns=edns, options=options) if edns >= 0 else ask())
    for _ in range(data.draw(st.integers(0, 4))):
        mangled[data.draw(st.integers(0, len(mangled) - 1))] = data.draw(
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 41, 63, 64, 192, 12]))
        )
    end = data.draw(st.one_of(st.just(len(mangled)), st.integers(0, len(mangled))))
    check_query(bytes(mangled[:end]))


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=6), st.binary(max_size=8))
def test_both_twins_read_any_name_alike(labels, rest):
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    check_query(ask()[:12] + name + b"\0\1\0\1" + rest)


@given(st.text("abz09-_AZ", min_size=240, max_size=258), st.integers(1, 63))
def test_both_twins_have_the_same_longest_name(text, size):
    parts = [text[at : at + size].encode() for at in range(0, len(text), size)]
    name = b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    check_query(ask()[:12] + name + b"\0\1\0\1")


@given(st.binary(max_size=250), st.integers(0, 2**64 - 1))
def test_both_twins_mix_a_question_alike_and_change_nothing_but_the_case_of_its_name(name, bits):
    question = name + b"\0\0AaZ"
    changed = mixed(question, bits)
    assert changed == any_mixed(question, bits)
    assert changed.lower() == question.lower() and changed[-4:] == question[-4:]


def test_any_case_of_each_letter_is_made():
    question = b"\x03wW9\x04-_\xc1a\0\0A\0A"
    assert {mixed(question, bits) for bits in range(512)} == {
        b"\x03" + w + v + b"9\x04-_\xc1" + a + b"\0\0A\0A"
        for w in (b"w", b"W") for v in (b"w", b"W") for a in (b"a", b"A")
    }  # fmt: skip


@given(st.data())
def test_both_twins_find_an_echo_alike(data):
    parts = st.lists(
        st.sampled_from([b"\3wWw\0", b"\3www\0", b"\0\1\0\1", b"cookie", b"co"]), max_size=8
    )
    message = ask()[:12] + b"".join(data.draw(parts))
    question, cookie = b"".join(data.draw(parts)), data.draw(st.sampled_from([b"", b"cookie"]))
    assert echo(message, question, cookie) == any_echo(message, question, cookie)


def test_an_echo_is_the_very_question_the_cookie_and_perhaps_the_name_once_more():
    question = b"\3wWw\0\0\1\0\1"
    data = ask()[:12] + question + b"..cookie"
    assert echo(data, question, b"cookie") == 1 and echo(data, question, b"") == 1
    assert echo(data + b"\3wWw\0", question, b"cookie") == 2
    assert echo(data, question.lower(), b"") == 0 and echo(data, question, b"other") == 0
