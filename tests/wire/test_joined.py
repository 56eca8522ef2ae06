"""A CNAME of ours and its target's answer become one message that a real parser reads."""

import dns.message
import dns.rrset
import pytest
from msgspec.structs import replace

from namewarden.query import Verdict
from namewarden.stages.block import blocked
from namewarden.wire import answers, message
from namewarden.wire.joined import beyond, join

GARDEN = "garden.example.net."
VERDICT = Verdict(
    "redirect", "list_deny", "l:1 x", "data", records=(("CNAME", 60, GARDEN),), ttl=60
)


def parts(*records, rcode=0):
    query = message.read_query(
        dns.message.make_query("bad.test", "A").to_wire(), "192.0.2.1", "udp", 9.0
    )
    asked = beyond(query, GARDEN)
    reply = dns.message.make_response(dns.message.from_wire(message.write_query(asked, 1, 1232)))
    reply.set_rcode(rcode)
    for section, *record in records:
        getattr(reply, section).append(dns.rrset.from_text(*record))
    tail = message.read_answer(reply.to_wire(), asked.question, 9.0)
    return query, blocked(query, VERDICT), asked, tail


def read(query, answer):
    return dns.message.from_wire(answers.to_wire(query, answer, 10.0, 1232))


def test_the_chain_is_whole_and_ages():
    query, head, asked, tail = parts(("answer", GARDEN, 300, "IN", "A", "192.0.2.1"))
    joined = join(query, head, asked, tail)
    assert [str(rrset) for rrset in read(query, joined).answer] == [
        f"bad.test. 59 IN CNAME {GARDEN}",
        f"{GARDEN} 299 IN A 192.0.2.1",
    ]
    assert (joined.ttl, joined.addresses) == (60, ("192.0.2.1",))


def test_a_denial_of_the_target_keeps_its_rcode_and_soa():
    soa = ("authority", "net.", 30, "IN", "SOA", "a. b. 1 2 3 4 5")
    query, head, asked, tail = parts(soa, rcode=3)
    reply = read(query, join(query, head, asked, tail))
    assert (reply.rcode(), len(reply.answer), len(reply.authority)) == (3, 1, 1)


@pytest.mark.parametrize("text", ["203.0.113.1", r"a\.b\000\".example."])
def test_odd_names_of_strangers_are_carried_as_they_are(text):
    kind = "A" if text[0] == "2" else "CNAME"
    query, head, asked, tail = parts(("answer", GARDEN, 300, "IN", kind, text))
    assert read(query, join(query, head, asked, tail)).answer[1][0].to_text() == text


def test_a_target_that_cannot_be_read_is_a_failure_and_no_fault():
    query, head, asked, tail = parts(("answer", GARDEN, 300, "IN", "A", "192.0.2.1"))
    joined = join(query, head, asked, replace(tail, body=tail.body[:-3]))
    assert (joined.rcode, joined.body, joined.status) == (2, b"", "FAILED")
