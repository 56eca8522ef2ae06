"""Precedence, groups, expiry, answers: every path of the decision, and none without a reason."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import decide
from namewarden.policy.compile import compile_snapshot
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec, RuleSpec, SnapshotSpec
from namewarden.policy.terms import Asked
from tests.policy.made import SECRET, ruled, snapshot_of

NAME = "www.bad.example."
RULES = {
    "exact allow": RuleSpec("ea", NAME, "allow"),
    "pattern allow": RuleSpec("pa", "bad.example.", "allow", "both"),
    "exact deny": RuleSpec("ed", NAME, "deny"),
    "pattern deny": RuleSpec("pd", r"^www\.", "deny", "pattern"),
}
LISTS = {"list allow": ("allow:la", "||bad.example^\n"), "list deny": ("ld", "||bad.example^\n")}
ORDER = {  # what decides, highest first
    "exact allow": ("allow", "rule_allow", "rule:ea www.bad.example"),
    "pattern allow": ("allow", "pattern_allow", "rule:pa ||bad.example^"),
    "exact deny": ("block", "rule_deny", "rule:ed www.bad.example"),
    "pattern deny": ("block", "pattern_deny", r"rule:pd /^www\./"),
    "list allow": ("allow", "list_allow", "la:1 ||bad.example^"),
    "list deny": ("block", "list_deny", "ld:1 ||bad.example^"),
}


DEFAULT = (GroupSpec(name="default"),)


def policy_of(folder, lists=None, rules=(), groups=DEFAULT):
    return Policy(snapshot_of(folder, lists or {}, groups=groups), ruled(rules))


def ask(policy, name=NAME, group="default", now=1000.0, stream=False) -> Any:
    return decide.lists(policy, name, Asked(group, now, stream))


def ask_chain(policy, *names) -> Any:
    found = decide.chain(policy, names, Asked("default", 0))
    return found and found[1]


@pytest.mark.parametrize("present", [
    chosen for size in range(1, 7) for chosen in itertools.combinations(ORDER, size)
], ids="+".join)  # fmt: skip
def test_the_highest_that_is_present_decides(tmp_path, present):
    lists = dict(LISTS[one] for one in reversed(present) if one in LISTS)
    verdict = ask(
        policy_of(tmp_path, lists, [RULES[one] for one in reversed(present) if one in RULES])
    )
    assert (verdict.action, verdict.reason, verdict.rule) == ORDER[present[0]]


def test_where_tcp_is_all_that_is_asked_others_still_speak_over_tcp(tmp_path):
    policy = policy_of(
        tmp_path, {"a": "www.bad.example CNAME rpz-tcp-only.\n", "b": "||bad.example^\n"}
    )
    assert ask(policy).mode == "tcp-only"
    assert ask(policy, stream=True).rule == "b:1 ||bad.example^"
    alone = policy_of(tmp_path, {"a": "www.bad.example CNAME rpz-tcp-only.\n"})
    assert ask(alone, stream=True) is None


def test_nothing_said_is_none(tmp_path):
    policy = policy_of(
        tmp_path, {"l": "other.example\n"}, [RuleSpec("1", "other.example.", "deny")]
    )
    assert ask(policy) is None


@pytest.mark.parametrize(
    ("match", "name", "hits"),
    [
        ("exact", "bad.example.", True),
        ("exact", NAME, False),
        ("both", "bad.example.", True),
        ("both", NAME, True),
        ("below", "bad.example.", False),
        ("below", NAME, True),
        ("both", "notbad.example.", False),
        ("both", r"www\046bad.example.", False),
    ],
)
def test_how_local_rules_match(tmp_path, match, name, hits):
    policy = policy_of(tmp_path, rules=[RuleSpec("1", "bad.example.", "deny", match)])
    assert (ask(policy, name) is not None) is hits


def test_a_rule_for_everything(tmp_path):
    assert (
        ask(policy_of(tmp_path, rules=[RuleSpec("1", ".", "deny", "below")])).reason
        == "pattern_deny"
    )


def test_an_expired_rule_never_applies(tmp_path):
    rules = [
        RuleSpec("1", NAME, "allow", expires=1000.0),
        RuleSpec("2", NAME, "deny", expires=2000.0),
    ]
    policy = policy_of(tmp_path, rules=rules)
    assert ask(policy, now=999.9).rule.startswith("rule:1")
    assert ask(policy, now=999.9).expires == 1000.0
    assert ask(policy, now=1000.0).rule.startswith("rule:2")
    assert ask(policy, now=1000.0).expires == 2000.0
    assert ask(policy, now=2000.0) is None


def test_the_end_about_names_is_that_of_the_next_rule_or_line(tmp_path):
    lists = {"allow:l": f"{NAME[:-1]} # expires=2027-01-01\n"}
    end = 1_798_848_000.0  # of that day
    policy = policy_of(tmp_path, lists)
    assert policy.end_about(("other.example.", NAME), 1000.0) == end
    assert policy.end_about((NAME,), end) == policy.end_about(("other.example.",), 0.0) == 0
    ruled_too = policy.with_rules(ruled([RuleSpec("1", NAME, "allow", expires=2000.0)]))
    assert ruled_too.end_about((NAME,), 1000.0) == 2000.0
    assert ruled_too.end_about((NAME,), 2000.0) == end


def test_rules_and_lists_of_a_group(tmp_path):
    groups = (
        GroupSpec(name="default", lists=("a",)),
        GroupSpec(name="kids", lists=("b", "a")),
        GroupSpec(name="all"),
        GroupSpec(name="free", lists=()),
    )
    lists = {"a": "a.example\n", "b": "b.example\n"}
    policy = policy_of(
        tmp_path, lists, [RuleSpec("1", "k.example.", "deny", groups=("kids",))], groups
    )
    denied = {
        group: [n for n in ("a", "b", "k") if ask(policy, f"{n}.example.", group)]
        for group in ("default", "kids", "all", "free", "unknown")
    }
    assert denied == {
        "default": ["a"], "kids": ["a", "b", "k"], "all": ["a", "b"], "free": [], "unknown": ["a"]
    }  # fmt: skip


def test_the_first_list_wins_among_equals(tmp_path):
    lists = {"first": "*.bad.example\n", "second": "www.bad.example\n"}
    assert ask(policy_of(tmp_path, lists)).rule == "first:1 *.bad.example"
    patterns = {"first": "/^www/\n", "second": "www.bad.example\n"}
    assert ask(policy_of(tmp_path, patterns)).rule == "first:1 /^www/"


def test_an_exception_in_a_deny_list_beats_all_denials(tmp_path):
    lists = {"first": "||bad.example^\n", "second": "@@||www.bad.example^\n"}
    assert ask(policy_of(tmp_path, lists)).reason == "list_allow"
    assert ask(policy_of(tmp_path, lists), "x.bad.example.").reason == "list_deny"


@pytest.mark.parametrize(
    ("block", "addresses", "mode", "answered"),
    [
        ("null", (), "null", ()),
        ("nxdomain", (), "nxdomain", ()),
        ("nodata", (), "nodata", ()),
        ("refused", (), "refused", ()),
        ("drop", (), "drop", ()),
        ("ip", ("192.0.2.9", "2001:db8::9"), "ip", ("192.0.2.9", "2001:db8::9")),
        ("null", ("192.0.2.9",), "null", ()),
    ],
)
def test_the_group_says_how_a_block_is_answered(tmp_path, block, addresses, mode, answered):
    groups = (GroupSpec(name="default", block=block, addresses=addresses, ttl=77),)
    verdict = ask(policy_of(tmp_path, {"l": "||bad.example^\n"}, groups=groups))
    assert (verdict.mode, verdict.addresses, verdict.ttl) == (mode, answered, 77)


def test_redirect_goes_to_the_groups_honeypot_or_blocks(tmp_path):
    rules = [RuleSpec("d", NAME, "deny"), RuleSpec("r", NAME, "redirect")]
    groups = (GroupSpec(name="default", redirect=("192.0.2.8",)), GroupSpec(name="none"))
    policy = policy_of(tmp_path, rules=rules, groups=groups)
    verdict = ask(policy)
    assert (verdict.action, verdict.mode, verdict.addresses) == ("redirect", "ip", ("192.0.2.8",))
    verdict = ask(policy, group="none")
    assert (verdict.action, verdict.mode, verdict.rule) == (
        "block",
        "null",
        "rule:r www.bad.example",
    )


ZONE = """$ORIGIN rpz.test.
nx.test CNAME .
nd.test CNAME *.
pass.test CNAME rpz-passthru.
drop.test CNAME rpz-drop.
tcp.test CNAME rpz-tcp-only.
data.test 60 A 192.0.2.1
data.test 30 TXT "x"
walled.test 60 CNAME *.garden.test.
"""


def test_a_zone_answers_as_written(tmp_path):
    policy = policy_of(tmp_path, {"z": ZONE})
    modes = {n: ask(policy, f"{n}.test.").mode for n in ("nx", "nd", "pass", "drop", "tcp", "data")}
    assert modes == {
        "nx": "nxdomain", "nd": "nodata", "pass": "", "drop": "drop", "tcp": "tcp-only", "data": "data"
    }  # fmt: skip
    assert ask(policy, "pass.test.").reason == "list_allow"
    data = ask(policy, "data.test.")
    assert data.records == (("A", 60, "192.0.2.1"), ("TXT", 30, '"x"'))
    assert (data.action, data.ttl, data.rule) == ("redirect", 30, "z:7 data.test 60 A 192.0.2.1")
    assert ask(policy, "walled.test.").records == (("CNAME", 0, "walled.test.garden.test."),)


def test_the_chain_is_judged_name_by_name(tmp_path):
    policy = policy_of(tmp_path, {"l": "bad.example\n", "allow:a": "good.example\n", "z": ZONE})
    verdict = ask_chain(policy, "cdn.example.", "good.example.", "bad.example.")
    assert (verdict.action, verdict.reason, verdict.rule) == (
        "block",
        "cname_deny",
        "l:1 bad.example",
    )
    assert ask_chain(policy, "cdn.example.", "good.example.") is None
    data = ask_chain(policy, "data.test.")
    records = (("A", 60, "192.0.2.1"), ("TXT", 30, '"x"'))
    assert (data.action, data.mode, data.records) == ("redirect", "data", records)


def test_guarded(tmp_path):
    policy = policy_of(tmp_path, {"guard:g": "example.org\n"})
    assert policy.is_guarded("example.org.")
    assert ask(policy, "example.org.") is None


def test_hostile_rules_are_shown_escaped(tmp_path):
    policy = policy_of(tmp_path, rules=[RuleSpec("\n<b>", NAME, "deny")])
    assert ask(policy).rule == "rule:<b> www.bad.example"


def test_a_rule_says_why_it_was_made(tmp_path):
    rule = RuleSpec("decision", NAME, "deny", reason="zu laut für uns\x9b")
    policy = policy_of(tmp_path, rules=[rule])
    assert ask(policy).rule == "rule:decision www.bad.example (zu laut für uns?)"


LABEL = st.sampled_from(["a", "b", "www"])
NAMES = st.lists(LABEL, min_size=1, max_size=3).map(lambda labels: ".".join([*labels, "test."]))
RULE = st.builds(
    RuleSpec,
    id=st.just("1"),
    name=NAMES,
    effect=st.sampled_from(["allow", "deny", "redirect"]),
    match=st.sampled_from(["exact", "below", "both"]),
    groups=st.sampled_from([(), ("kids",)]),
    expires=st.sampled_from([0.0, 500.0, 5000.0]),
)


@given(rules=st.lists(RULE, max_size=6), name=NAMES, group=st.sampled_from(["default", "kids"]))
def test_no_verdict_without_reason_and_rule(tmp_path_factory, rules, name, group):
    policy = policy_of(tmp_path_factory.mktemp("rules"), {"l": "a.test\n@@||b.test^\n"}, rules)
    verdict = ask(policy, name, group)
    if verdict is not None:
        assert verdict.reason != "none" and verdict.rule
        assert verdict.action in ("allow", "block", "redirect")
        assert (verdict.mode == "") == (verdict.action == "allow")
        assert verdict.expires != 500.0


def test_names_that_no_rule_reaches_are_known(tmp_path):
    policy = policy_of(
        tmp_path,
        rules=[RuleSpec("1", "a.example.", "deny"), RuleSpec("2", "b.example.", "allow", "below")],
    )
    reached = [
        name
        for name in ("a.example.", "x.a.example.", "b.example.", "x.b.example.")
        if policy.is_ruled(name)
    ]
    assert reached == ["a.example.", "x.b.example."]


def test_a_token_ends_though_nobody_publishes_anew(tmp_path):
    spec = SnapshotSpec(token_hashes=("a", "b"), token_expires=(0.0, 100.0))
    policy = Policy(compile_snapshot(spec, SECRET, tmp_path / "policy.snap"))
    assert (policy.tokens(99.0), policy.tokens(100.0)) == (("a", "b"), ("a",))


def test_a_guard_list_without_names_is_missed(tmp_path):
    assert not policy_of(tmp_path).lacks_guard
    for text, is_missed in (("example.org\n", False), ("# nothing\n", True)):
        policy = policy_of(tmp_path / text[0].replace("#", "x"), {"guard:g": text})
        assert policy.lacks_guard == is_missed


def test_expressions_are_compiled_once_while_they_stay(tmp_path):
    one = Policy(snapshot_of(tmp_path / "1", {"e": "/^ads[0-9]+/\n", "h": "a.test\n"}))
    two = Policy(snapshot_of(tmp_path / "2", {"h": "b.test\n", "e": "/^ads[0-9]+/\n"}), None, one)
    three = Policy(snapshot_of(tmp_path / "3", {"e": "/^ads[0-9]+/\n/x{3}/\n"}), None, two)
    found = [policy._expressions for policy in (one, two, three)]
    sets = [each._set for each in found if each]
    assert sets[0] is sets[1] and sets[1] is not sets[2]
    assert [hit.list for hit in two.hits("ads1.test.")] == [1]
    assert [len(three.hits(name)) for name in ("ads1.test.", "xxx.test.")] == [1, 1]


@pytest.mark.parametrize(
    ("rule", "is_let"),
    [
        (RuleSpec("1", NAME, "allow"), True),
        (RuleSpec("1", "example.", "allow", "below"), True),
        (RuleSpec("1", NAME, "allow", groups=("kids",)), False),
        (RuleSpec("1", NAME, "allow", expires=1.0), False),
        (RuleSpec("1", NAME, "deny"), False),
        (RuleSpec("1", ".", "allow", "pattern"), False),  # a pause
    ],
)
def test_who_lets_a_name_pass_names_it(tmp_path, rule, is_let):
    policy = policy_of(tmp_path, rules=[rule])
    assert decide.is_let(policy, NAME, Asked("default", 100.0)) == is_let
