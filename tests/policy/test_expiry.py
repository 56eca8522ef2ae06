"""A line holds until the time that its comment says, and no longer, though nothing is compiled meanwhile."""

import pytest

from namewarden.policy import decide
from namewarden.policy.check import check, totals
from namewarden.policy.decide import Policy
from namewarden.policy.expiry import end_of, shown
from namewarden.policy.formats import read_line
from namewarden.policy.terms import Asked
from namewarden.policy.walk import walk
from tests.policy.made import snapshot_of

END = 1798761600.0  # 2027-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-12-31", END),
        ("2027-01-01T00:00:00Z", END),
        ("2027-01-01t01:30:00+01:30", END),
        ("2027-01-01T00:00:00.5z", END + 0.5),
        ("2026-12-31T23:59:59-00:00", END - 1),
        ("2026-13-31", None),
        ("2027-01-01T00:00:00", None),
        ("20270101", None),
        ("9999-12-31", 253402300799.0),
        ("9999-12-31T23:59:59-23:59", 253402300799.0),
        ("1969-12-31", 1.0),
        ("1970-01-01T00:00:00Z", 1.0),
        ("0001-01-01T00:00:00+23:59", 1.0),
        ("0000-01-01", None),
        ("never", None),
        ("", None),
        ("٢٠٢٧-01-01", None),
    ],
)
def test_a_day_or_a_time_of_rfc_3339(text, end):
    assert end_of(text) == end
    assert end is None or end_of(shown(end)) == int(end)


@pytest.mark.parametrize("form", ["auto", "hosts", "domains", "wildcard"])
@pytest.mark.parametrize(
    "comment",
    ["# expires=2026-12-31", "# C2, expires=2026-12-31; seen 2026-11-01", "#Expires=2026-12-31"],
)
def test_the_plain_formats_have_it_in_their_comment(form, comment):
    line = f"0.0.0.0 bad.example\t{comment}" if form == "hosts" else f"*.bad.example\t{comment}"
    reading = read_line(line, form)
    assert not isinstance(reading, str)
    assert [rule.terms and rule.terms.expires for rule in reading] == [END]


def test_what_is_no_time_is_no_rule_and_other_words_are_none():
    assert read_line("bad.example # expires=soon") == "expires"
    for line in (
        "bad.example # lapses 2026-12-31",
        "expires.example # x",
        "bad.example # unexpires=2026-12-31",
    ):
        reading = read_line(line)
        assert not isinstance(reading, str) and reading[0].terms is None


def asked(now):
    return Asked("default", now)


TEXT = (
    "bad.example # expires=2026-12-31\n"
    "0.0.0.0 both.example # expires=2027-01-02\n"
    "both.example # expires=2026-12-31\n"
)


def test_a_line_ends_by_itself_and_the_verdict_says_when(tmp_path):
    policy = Policy(snapshot_of(tmp_path, {"feed": TEXT, "other": "*.other.example\n"}))
    before = decide.lists(policy, "bad.example.", asked(END - 1))
    assert before is not None
    assert (before.action, before.rule, before.expires) == (
        "block", "feed:1 bad.example # expires=2026-12-31", END,
    )  # fmt: skip
    assert decide.lists(policy, "bad.example.", asked(END)) is None
    both = [
        decide.lists(policy, "both.example.", asked(END + more)) for more in (-1, 0, 2 * 86_400)
    ]
    assert [one and one.expires for one in both] == [END, END + 2 * 86_400, None]
    assert both[1] is not None and both[1].rule.startswith("feed:2 ")
    plain = decide.lists(policy, "x.other.example.", asked(END))
    assert plain is not None and plain.expires == 0


def test_an_allow_that_ends_lets_the_denial_below_it_speak(tmp_path):
    lists = {"allow:let": "a.example # expires=2026-12-31\n", "deny": "a.example\n"}
    policy = Policy(snapshot_of(tmp_path, lists))
    before, after = (decide.lists(policy, "a.example.", asked(END + more)) for more in (-1, 0))
    assert before is not None and (before.action, before.expires) == ("allow", END)
    assert after is not None and (after.action, after.expires) == ("block", 0)


def test_people_see_it(tmp_path):
    path = tmp_path / "feed.txt"
    path.write_text(TEXT + "soon.example # expires=soon\n")
    lines = list(check(path))
    assert lines[0].says == [
        "bad.example.  the name alone  the list's kind, until 2027-01-01T00:00:00Z"
    ]
    assert totals(lines).skipped == {"expires": 1}


def test_who_walks_the_policy_gets_what_holds(tmp_path):
    policy = Policy(snapshot_of(tmp_path, {"feed": TEXT}))
    assert [(line.name, line.expires) for line in walk(policy, END)] == [
        ("both.example.", END + 2 * 86_400)
    ]
