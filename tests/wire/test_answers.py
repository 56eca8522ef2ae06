"""Answers, read back by dnspython."""

import dns.flags
import dns.message
import pytest

from namewarden.query import Answer
from namewarden.wire.answers import aged, limit_of, own, plain, soa, soa_above, to_wire
from namewarden.wire.errors import Rcode
from namewarden.wire.message import read_answer, read_query
from namewarden.wire.names import to_wire as name_to_wire
from tests.wire.test_message import CHAIN, answered, ask


def query(kind="A", **options):
    return read_query(ask(kind=kind, **options), "192.0.2.9", "udp", 5.0)


def sent(asked, answer, now=5.0, limit=1232):
    return dns.message.from_wire(to_wire(asked, answer, now, limit))


def records(message):
    return [record for rrset in message.answer for record in rrset.to_text().split("\n")]


def test_an_upstreams_answer_goes_back_with_the_question_as_asked_and_aged():
    _, data = answered(*CHAIN, edns=0)
    other_case = query(use_edns=0)
    answer = read_answer(data, other_case.question, 100.0)
    message = sent(other_case, answer, now=110.9)
    assert message.question[0].name.to_text() == "www.exAmple.org."
    assert [rrset.ttl for rrset in message.answer] == [290, 50, 50]
    assert message.id == 7 and message.flags & dns.flags.RA
    assert all(rrset.ttl == 0 for rrset in sent(other_case, answer, now=9e3).answer)


def test_too_long_answers_are_truncated_and_say_so():
    _, data = answered(*CHAIN, edns=0)
    asked = query()
    message = sent(asked, read_answer(data, asked.question, 0.0), limit=80)
    assert message.flags & dns.flags.TC and not message.answer
    assert (limit_of(asked, 1232), limit_of(query(use_edns=0, payload=4096), 1232)) == (512, 1232)


def test_ad_goes_only_to_who_understands_it():
    answer = Answer(0, ad=True)
    assert not sent(query(), answer).flags & dns.flags.AD
    assert sent(query(want_dnssec=True), answer).flags & dns.flags.AD


def test_plain_answers_have_no_ttls_to_age():
    answer = plain(Rcode.SERVFAIL, "FAILED", ((22, "no server answered"),))
    assert aged(answer, 99.0) == b"" and answer.rcode == 2


def test_own_records_fit_any_name():
    body, ttls, count = own((("A", 60, "192.0.2.5"), ("TXT", 30, '"x"')))
    message = sent(query(), Answer(0, body, (count, 0, 0), ttls, 30))
    assert records(message) == [
        "www.exAmple.org. 60 IN A 192.0.2.5",
        'www.exAmple.org. 30 IN TXT "x"',
    ]
    assert own(()) == (b"", (), 0)


@pytest.mark.parametrize(
    ("name", "exists", "owner"),
    [
        ("a.bad.example.", False, "bad.example."),
        ("bad.example.", True, "example."),
        ("com.", True, "com."),
        ("intranet.", False, "namewarden.invalid."),
        (".", True, "."),
    ],
)
def test_the_soa_of_a_denial_is_the_parents(name, exists, owner):
    asked = read_query(dns.message.make_query(name, "A").to_wire(), "192.0.2.9", "udp", 5.0)
    body, ttls = soa(7, asked.question, exists)
    authority = sent(asked, Answer(0, body, (0, 1, 0), ttls, 7)).authority
    assert [(rrset.name.to_text(), rrset.ttl, rrset[0].minimum) for rrset in authority] == [
        (owner, 7, 7)
    ]
    assert int.from_bytes(body[ttls[0] : ttls[0] + 4]) == 7


def test_the_soa_of_another_name():
    body, ttls = soa_above(7, name_to_wire("b.c.example."))
    assert body.startswith(name_to_wire("c.example."))
    assert int.from_bytes(body[ttls[0] : ttls[0] + 4]) == 7
    assert soa_above(7, name_to_wire("nas."))[0].startswith(name_to_wire("nas."))
