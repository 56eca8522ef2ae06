"""What each mode answers to each type, as plain values."""

import pytest

from namewarden.policy.block import Denial, denial
from namewarden.query import Verdict

BLOCKED = ((15, "list_deny malware"),)
FORGED = (*BLOCKED, (4, ""))


def said(mode, kind="A", action="block", **more):
    more = {"ttl": 10, **more}
    return denial(Verdict(action, "list_deny", "malware:3 x", mode=mode, **more), kind)


@pytest.mark.parametrize(
    ("mode", "kind", "expected"),
    [
        ("null", "A", Denial("BLOCKED", 0, (("A", 10, "0.0.0.0"),), 10, ede=BLOCKED)),
        ("null", "AAAA", Denial("BLOCKED", 0, (("AAAA", 10, "::"),), 10, ede=BLOCKED)),
        ("null", "HTTPS", Denial("BLOCKED", 0, (), 10, True, ede=BLOCKED)),
        ("nxdomain", "A", Denial("BLOCKED", 3, (), 10, True, ede=BLOCKED)),
        ("nodata", "TYPE64", Denial("BLOCKED", 0, (), 10, True, ede=BLOCKED)),
        ("refused", "A", Denial("BLOCKED", 5, ede=BLOCKED)),
        ("tcp-only", "A", Denial("BLOCKED", is_truncated=True, ede=BLOCKED)),
        ("drop", "A", Denial("DROPPED", is_silent=True)),
    ],
)
def test_every_mode_answers_every_type(mode, kind, expected):
    assert said(mode, kind) == expected


def test_set_addresses_answer_their_types():
    addresses = ("192.0.2.66", "2001:db8::66", "192.0.2.67")
    both = said("ip", "A", "redirect", addresses=addresses)
    assert both.records == (("A", 10, "192.0.2.66"), ("A", 10, "192.0.2.67"))
    assert (both.status, both.ede) == ("REDIRECTED", FORGED)
    assert said("ip", "AAAA", addresses=addresses).records == (("AAAA", 10, "2001:db8::66"),)
    assert said("ip", "MX", addresses=addresses).is_negative


def test_local_data_answers_its_types_or_a_cname():
    data = (("A", 60, "192.0.2.5"), ("TXT", 30, '"x"'))
    assert said("data", "TXT", records=data).records == data[1:]
    assert said("data", "AAAA", records=data).is_negative
    cname = (("CNAME", 60, "garden.example.net."),)
    assert said("data", "AAAA", records=cname).records == cname


def test_the_reason_and_the_family_are_told():
    found = denial(Verdict("block", "model_malicious", mode="null", family="banjori"), "A")
    assert found.ede == ((15, "model_malicious banjori"),)


def test_the_operators_words_are_told_and_the_score_that_decided():
    def told(**more):
        return denial(Verdict("block", "rule_deny", mode="null", **more), "A").ede[0][1]

    assert (
        told(rule="rule:decision ||x.test^ (ask the (help) desk)")
        == "rule_deny ask the (help) desk"
    )
    assert told(rule="rule:r1 x.test") == "rule_deny rule"
    assert told(rule="score >= 0.931000", score=0.98765) == "rule_deny score 0.9877 >= 0.931000"
    assert len(told(rule=f"rule:r1 x.test ({'why ' * 200})")) == 200
