"""What an answer shows, and whether that is what was expected."""

import dns.name
import dns.rdata
import pytest

from namewarden.harness.expected import (
    BLOCKED,
    Found,
    Record,
    action,
    difference,
    read,
    signs,
)

BY = signs(BLOCKED, ["198.51.100.0/24", "2001:db8:5::/48"])


def found(*records, rcode="NOERROR", ede=()):
    made = []
    for record in records:
        qtype, _, text = record.partition(" ")
        rdata = dns.rdata.from_text("IN", qtype, text, dns.name.root, False)
        made.append(Record(qtype, rdata.to_text(), rdata.to_digestable()))
    return Found(rcode, tuple(made), tuple((code, "") for code in ede))


NOTHING = Found(problem="no answer within 2 s")


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (found("A 192.0.2.1"), "allow"),
        (found("A 0.0.0.0"), "block"),
        (found("CNAME blocked.example.", "AAAA ::"), "block"),
        (found("A 0.0.0.0", "A 192.0.2.1"), "allow"),
        (found(), "block"),
        (found(rcode="NXDOMAIN"), "block"),
        (found(rcode="REFUSED"), "block"),
        (found(rcode="SERVFAIL"), "allow"),
        (found("A 192.0.2.1", ede=(15,)), "block"),
        (found("A 192.0.2.1", ede=(3,)), "allow"),
        (found("A 198.51.100.9", ede=(17,)), "redirect"),
        (found("AAAA 2001:db8:5::1"), "redirect"),
        (found("A 198.51.100.9", "A 192.0.2.1"), "allow"),
        (NOTHING, ""),
    ],
)
def test_what_an_answer_shows(answer, shown):
    assert action(answer, BY) == shown


@pytest.mark.parametrize(
    ("expected", "qtype", "answer", "other"),
    [
        ("", "A", found(rcode="SERVFAIL"), ""),
        ("", "A", NOTHING, "no answer within 2 s"),
        ("allow", "A", found("A 192.0.2.1"), ""),
        ("Review", "A", found("A 192.0.2.1"), ""),
        ("flag", "A", found(rcode="NXDOMAIN"), "expected flag, found NXDOMAIN"),
        ("allow", "AAAA", found(), ""),
        ("allow", "AAAA", found(ede=(15,)), "expected allow, found NODATA (EDE 15)"),
        ("block", "AAAA", found(), ""),
        ("block", "A", found("A 192.0.2.1"), "expected block, found A 192.0.2.1"),
        ("block", "A", NOTHING, "no answer within 2 s"),
        ("redirect", "A", found("A 198.51.100.1"), ""),
        ("redirect", "A", found("A 0.0.0.0"), "expected redirect, found A 0.0.0.0"),
        ("nxdomain", "A", found(rcode="NXDOMAIN"), ""),
        ("NXDOMAIN", "A", found(), "expected NXDOMAIN, found NODATA"),
        ("NODATA", "A", found(), ""),
        ("NOERROR", "A", found("A 192.0.2.1"), ""),
        ("TIMEOUT", "A", NOTHING, ""),
        ("TIMEOUT", "A", found(), "expected TIMEOUT, found NODATA"),
        ("192.0.2.1 | 192.0.2.2", "A", found("A 192.0.2.2", "A 192.0.2.1"), ""),
        ("192.0.2.1", "A", found("CNAME a.example.", "A 192.0.2.1"), ""),
        ("192.0.2.1", "A", found("A 192.0.2.2", "A 192.0.2.1"),
         "expected 192.0.2.1, found A 192.0.2.2, A 192.0.2.1"),
        ("CNAME A.Example. | 192.0.2.1", "A", found("CNAME a.example.", "A 192.0.2.1"), ""),
        ("CNAME a.example.", "A", found("CNAME b.example."),
         "expected CNAME a.example., found CNAME b.example."),
        ("10 Mail.example.", "MX", found("MX 10 mail.example."), ""),
        ('"a b"', "TXT", found('TXT "a b"'), ""),
        ("2001:DB8:0::1", "AAAA", found("AAAA 2001:db8::1"), ""),
    ],
)  # fmt: skip
def test_whether_it_is_what_was_expected(expected, qtype, answer, other):
    assert difference(read(expected, qtype), answer, BY) == other


def test_signs_are_the_users():
    by = signs(["servfail", "silence", "EDE:18", "203.0.113.5", "203.0.113.6/32"], [])
    assert action(found(rcode="SERVFAIL"), by) == "block"
    assert action(found("A 203.0.113.5", "A 203.0.113.6"), by) == "block"
    assert action(found("A 192.0.2.1", ede=(18,)), by) == "block"
    assert action(found(rcode="NXDOMAIN"), by) == action(found("A 0.0.0.0"), by) == "allow"
    assert difference(read("block", "A"), NOTHING, by) == ""


@pytest.mark.parametrize("word", ["nowhere", "ede:x", "ede", "192.0.2.0/99"])
def test_a_sign_that_is_none_is_told_with_the_choices(word):
    with pytest.raises(ValueError, match=f"{word}.*nxdomain.*network"):
        signs([word], [])


def test_a_long_answer_is_told_in_short():
    many = found(*(f"A 192.0.2.{number}" for number in range(20)), ede=(4, 15))
    assert many.text.endswith("A 192.0.2.7, and 12 more (EDE 4) (EDE 15)")
