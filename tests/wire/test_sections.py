"""What sections hold, of answers as upstreams send them."""

import dns.message
import dns.rrset
import pytest
from msgspec.structs import replace

from namewarden.query import Answer
from namewarden.wire import sections
from namewarden.wire.message import read_answer
from tests.wire.test_answers import query, records, sent

CHAIN = [
    ("www.exAmple.org.", 300, "IN", "CNAME", "x.moved.example."),
    ("moved.example.", 200, "IN", "DNAME", "new.example."),
    ("x.moved.example.", 200, "IN", "CNAME", "x.new.example."),
    ("x.new.example.", 100, "IN", "A", "192.0.2.1", "192.0.2.2"),
]
NS = [("example.org.", 60, "IN", "NS", "ns.example.org.", "NS2.example.net.")]
GLUE = [
    ("ns.example.org.", 60, "IN", "A", "192.0.2.53"),
    ("other.example.org.", 60, "IN", "A", "192.0.2.99"),
]


def message_of(answer=CHAIN, authority=(), additional=()):
    asked = query()
    reply = dns.message.make_response(dns.message.make_query("www.exAmple.org.", "A"))
    for section, rows in zip(reply.sections[1:], (answer, authority, additional), strict=True):
        section += [dns.rrset.from_text(*row) for row in rows]
    read = read_answer(reply.to_wire(), asked.question, 5.0)
    return asked, sections.message_of(asked, read)


def test_all_addresses():
    many = [("www.exAmple.org.", 60, "IN", "A", *(f"192.0.2.{n}" for n in range(1, 60)))]
    assert len(sections.addresses(message_of(many)[1])) == 59
    assert sorted(sections.addresses(message_of()[1])) == ["192.0.2.1", "192.0.2.2"]


def test_servers_with_their_own_addresses_only():
    _, message = message_of(CHAIN, NS, GLUE)
    names, addresses = sections.servers(message)
    assert (set(names), addresses) == ({"ns.example.org.", "ns2.example.net."}, ("192.0.2.53",))
    assert sections.servers(message_of()[1]) == ((), ())


@pytest.mark.parametrize(("count", "kinds"), [(1, ["CNAME"]), (2, ["CNAME", "DNAME", "CNAME"])])
def test_the_aliases_that_lead_somewhere_with_their_dnames(count, kinds):
    asked, message = message_of()
    head = sections.aliases(message, asked, count)
    assert head is not None
    assert [text.split()[3] for text in records(sent(asked, head))] == kinds
    assert head.ttl == (300 if count == 1 else 200)


def test_aliases_that_are_not_there():
    asked, message = message_of()
    assert sections.aliases(message, asked, 3) is None


def test_what_cannot_be_read_is_none():
    broken = Answer(0, b"\xc0\xff" + bytes(20), (1, 0, 0))
    assert sections.message_of(query(), replace(broken, tc=True)) is None
