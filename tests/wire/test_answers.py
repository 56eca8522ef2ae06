"""Answers, read back by dnspython."""

import dns.flags
import dns.message
import pytest

from namewarden.query import Answer, Verdict
from namewarden.wire.answers import aged, blocked, limit_of, plain, to_wire
from namewarden.wire.errors import Rcode
from namewarden.wire.message import read_answer, read_query
from tests.wire.test_message import CHAIN, answered, ask


def query(kind="A", **options):
    return read_query(ask(kind=kind, **options), "192.0.2.9", "udp", 5.0)


def sent(asked, answer, now=5.0, limit=1232):
    return dns.message.from_wire(to_wire(asked, answer, now, limit))


def records(message):
    return [record for rrset in message.answer for record in rrset.to_text().split("\n")]


def block(kind="A", mode="null", edns=0, **more):
    asked = query(kind, use_edns=edns)
    verdict = Verdict("block", "list_deny", rule="malware:3 x", mode=mode, **more)
    return asked, blocked(asked, verdict)


@pytest.mark.parametrize(
    ("kind", "mode", "rcode", "data"),
    [
        ("A", "null", 0, ["www.exAmple.org. 10 IN A 0.0.0.0"]),
        ("AAAA", "null", 0, ["www.exAmple.org. 10 IN AAAA ::"]),
        ("HTTPS", "null", 0, []),
        ("MX", "null", 0, []),
        ("A", "nxdomain", 3, []),
        ("TYPE64", "nodata", 0, []),
        ("A", "refused", 5, []),
        ("A", "ip", 0, ["www.exAmple.org. 10 IN A 192.0.2.66"]),
        ("AAAA", "ip", 0, []),
    ],
)
def test_every_mode_answers_every_type(kind, mode, rcode, data):
    asked, answer = block(kind, mode, addresses=("192.0.2.66",))
    message = sent(asked, answer)
    assert (message.rcode(), records(message)) == (rcode, data)
    assert bool(message.authority) == (not data and rcode != 5)
    codes = [option.code for option in message.extended_errors()]
    assert codes == ([15, 4] if mode == "ip" else [15])


def test_modes_without_an_answer():
    assert block(mode="drop")[1].silent
    message = sent(*block(mode="tcp-only"))
    assert message.flags & dns.flags.TC and not message.answer


def test_local_data_answers_its_types_or_a_cname():
    data = (("A", 60, "192.0.2.5"), ("TXT", 30, '"hello there"'))
    assert records(sent(*block("TXT", "data", records=data))) == [
        'www.exAmple.org. 30 IN TXT "hello there"'
    ]
    assert records(sent(*block("AAAA", "data", records=data))) == []
    cname = (("CNAME", 60, "garden.example.net."),)
    assert records(sent(*block("AAAA", "data", records=cname))) == [
        "www.exAmple.org. 60 IN CNAME garden.example.net."
    ]


def test_opt_goes_only_to_who_sent_it():
    assert sent(*block(edns=False)).edns == -1
    message = sent(*block(edns=0))
    assert message.edns == 0 and message.payload == 1232
    assert "list_deny malware" in str(message.extended_errors()[0].text)


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
    assert not sent(*block(edns=0)).flags & dns.flags.AD


def test_plain_answers_have_no_ttls_to_age():
    answer = plain(Rcode.SERVFAIL, "FAILED", ((22, "no server answered"),))
    assert aged(answer, 99.0) == b"" and answer.rcode == 2
