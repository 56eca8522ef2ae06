"""What an upstream says, scrubbed and with all that it leads to; junk is an Answer or a WireError."""

import dns.message
import dns.rrset
import pytest

from namewarden.query import Answer
from namewarden.wire import answers
from namewarden.wire.errors import Unreadable, WireError
from namewarden.wire.message import read_query
from namewarden.wire.received import receive
from tests import hostile


def asked(kind):
    return dns.message.make_query("www.example.org", kind, use_edns=0)


def received(kind, *texts, additional=()):
    reply = dns.message.make_response(asked(kind))
    reply.answer = [dns.rrset.from_text(*text.split(" ", 4)) for text in texts]
    reply.additional = [dns.rrset.from_text(*text.split(" ", 4)) for text in additional]
    query = read_query(asked(kind).to_wire(), "192.0.2.9", "udp", 5.0)
    return query, receive(reply.to_wire(), query.question, 5.0, "udp://192.0.2.53:53")


def test_an_answer_of_another_name_is_none():
    with pytest.raises(Unreadable):
        received("A", "evil.example.net. 60 IN A 192.0.2.9")


def test_a_denial_stays_one_whatever_stands_beside_it():
    reply = dns.message.make_response(asked("A"))
    reply.answer = [dns.rrset.from_text("evil.example.net.", 60, "IN", "A", "192.0.2.9")]
    reply.authority = [dns.rrset.from_text("example.org.", 60, "IN", "SOA", "ns. host. 1 2 3 4 5")]
    query = read_query(asked("A").to_wire(), "192.0.2.9", "udp", 5.0)
    answer = receive(reply.to_wire(), query.question, 5.0)
    assert (answer.rcode, answer.counts, answer.ttl) == (0, (0, 1, 0), 5)


def test_what_is_left_is_sent_with_its_pointers_right():
    query, answer = received(
        "A", "evil.example.net. 60 IN A 192.0.2.9", "www.example.org. 60 IN CNAME a.example.net.",
        "a.example.net. 60 IN A 192.0.2.1",
    )  # fmt: skip
    assert (answer.cnames, answer.addresses) == (("a.example.net.",), ("192.0.2.1",))
    sent = dns.message.from_wire(answers.to_wire(query, answer, 6.0, 1232))
    assert [str(each) for each in sent.answer] == [
        "www.example.org. 59 IN CNAME a.example.net.",
        "a.example.net. 59 IN A 192.0.2.1",
    ]


def test_targets_and_hints_are_known():
    _, answer = received(
        "HTTPS", "www.example.org. 60 IN HTTPS 1 svc.example.net. ipv4hint=192.0.2.5 ipv6hint=2001:db8::5",
        additional=["svc.example.net. 60 IN A 192.0.2.6"],
    )  # fmt: skip
    assert answer.targets == ("svc.example.net.",)
    assert answer.addresses == ("192.0.2.5", "2001:db8::5", "192.0.2.6")


@pytest.mark.parametrize("seed", [1, 2])
def test_junk_is_an_answer_or_a_wire_error(seed):
    for label, data in hostile.packets(seed, 300):
        for flags in (b"\x81\x80", data[2:4]):
            try:
                got = receive(data[:2] + flags + data[4:], hostile.NAME + hostile.A_IN, 1.0)
            except WireError:
                continue
            assert isinstance(got, Answer), label
