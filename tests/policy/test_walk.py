"""What is walked decides as walked, and nothing that decides is missing."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.policy.scan import CHUNK
from namewarden.policy.spec import RuleSpec
from namewarden.policy.terms import Asked, Terms
from namewarden.policy.walk import PolicyLine, walk
from tests.policy.made import ruled, snapshot_of
from tests.policy.test_decide import RULE, ZONE
from tests.policy.test_snapshot import LISTS, NAMES

NOW = 1000.0


def matches(line: PolicyLine, name: str) -> bool:
    if line.match == "pattern":
        return re.search(line.name, name.removesuffix(".")) is not None
    is_below = line.name == "." or name.endswith(f".{line.name}")
    return (line.match != "below" and name == line.name) or (line.match != "exact" and is_below)


def expected(lines: list[PolicyLine], name: str, group: str) -> tuple[str, str] | None:
    """(action, text) of what decides among the lines, by the precedence that the documents say."""
    speaking = [
        line for line in lines if matches(line, name) and (not line.groups or group in line.groups)
    ]
    rules = [line for line in speaking if line.source == "rule"]
    if rules:
        return "allow" if _best(rules, name).action == "allow" else "block", ""
    lists = [line for line in speaking if line.source != "rule" and line.action != "guard"]
    allowed = [line for line in lists if line.action == "allow"]
    if allowed:
        return "allow", ""
    return ("block", "") if lists else None


def _best(rules: list[PolicyLine], name: str) -> PolicyLine:
    def order(line: PolicyLine) -> Any:
        exact = line.name == name and line.match in ("exact", "both")
        return {("allow", True): 0, ("allow", False): 1}.get((line.action, exact), 2 + (not exact))

    return min(rules, key=order)


@given(
    lists=LISTS,
    rules=st.lists(RULE, max_size=4),
    asked=st.lists(NAMES, min_size=1, max_size=8),
    group=st.sampled_from(["default", "kids"]),
)
def test_walking_and_deciding_agree(tmp_path_factory, lists, rules, asked, group):
    folder = tmp_path_factory.mktemp("walk")
    texts = {f"l{rank}": "\n".join(lines) for rank, lines in enumerate(lists)}
    policy = Policy(snapshot_of(folder, texts), ruled(rules))
    lines = list(walk(policy, NOW))
    names = {line.name for line in lines} | {f"{name}." for name in asked}
    for name in names | {f"x.{name}" for name in names}:
        verdict = decide.lists(policy, name, Asked(group, NOW))
        found = None if verdict is None else (verdict.action, "")
        assert found == expected(lines, name, group), name
        if verdict is not None and not verdict.rule.startswith("rule:"):
            known = {f"{line.source}:{line.number} {line.text}" for line in lines}
            assert verdict.rule in known


def test_each_line_says_where_it_is_and_what_it_does(tmp_path):
    lists = {
        "malware": "# head\n||bad.example^\n\nb\u00fccher.example\n/^ads[0-9]/\n",
        "allow:friends": "good.example\n",
        "guard:popular": "example.org\n",
    }
    rules = [
        RuleSpec("r", "z.example.", "redirect", "below", ("kids",), 2000.0, "why"),
        RuleSpec("decision", "y.example.", "allow"),
        RuleSpec("old", "x.example.", "deny", expires=999.0),
    ]
    walked = list(walk(Policy(snapshot_of(tmp_path, lists), ruled(rules)), NOW))
    assert walked == [
        PolicyLine("y.example.", "exact", "allow", "rule", 0, "rule:decision y.example"),
        PolicyLine("z.example.", "below", "redirect", "rule", 0, "rule:r *.z.example (why)",
                   (), None, ("kids",), 2000.0),
        PolicyLine("bad.example.", "both", "deny", "malware", 2, "||bad.example^"),
        PolicyLine("xn--bcher-kva.example.", "exact", "deny", "malware", 4, r"b\195\188cher.example"),
        PolicyLine("^ads[0-9]", "pattern", "deny", "malware", 5, "/^ads[0-9]/"),
        PolicyLine("good.example.", "exact", "allow", "friends", 1, "good.example"),
        PolicyLine("example.org.", "exact", "guard", "popular", 1, "example.org"),
    ]  # fmt: skip


def test_a_zone_is_walked_as_written(tmp_path):
    walked = list(walk(Policy(snapshot_of(tmp_path, {"z": ZONE})), NOW))
    said = [(line.name, line.action, line.number, line.records) for line in walked]
    assert said == [
        ("nx.test.", "nxdomain", 2, ()),
        ("nd.test.", "nodata", 3, ()),
        ("pass.test.", "allow", 4, ()),
        ("drop.test.", "drop", 5, ()),
        ("tcp.test.", "tcp-only", 6, ()),
        ("data.test.", "data", 7, (("A", 60, "192.0.2.1"),)),
        ("data.test.", "data", 8, (("TXT", 30, '"x"'),)),
        ("walled.test.", "data", 9, (("CNAME", 60, "*.garden.test."),)),
    ]


@pytest.mark.parametrize("last", ["", "\n"])
def test_a_list_of_several_pieces(tmp_path, last):
    count = 3 * CHUNK // 24
    text = "\n".join(f"n{number:08d}.test # {number}" for number in range(count)) + last
    snapshot = snapshot_of(tmp_path, {"l": text})
    assert len(list(snapshot.pieces(0))) > 2
    walked = list(walk(Policy(snapshot), NOW))
    assert [line.number for line in walked] == list(range(1, count + 1))
    assert all(line.name == f"n{line.number - 1:08d}.test." for line in walked)
    assert walked[-1].text == f"n{count - 1:08d}.test # {count - 1}"


def test_the_last_good_copy_is_walked(tmp_path):
    from namewarden.policy.compile import compile_snapshot
    from tests.policy.made import SECRET, spec_of

    spec = spec_of(tmp_path, {"l": "bad.example\n"})
    first = compile_snapshot(spec, SECRET, tmp_path / "one.snap")
    (tmp_path / "l.txt").unlink()
    second = compile_snapshot(spec, SECRET, tmp_path / "two.snap", previous=first)
    assert [line.name for line in walk(Policy(second), NOW)] == ["bad.example."]


def rpz_of(lines: Iterable[PolicyLine]) -> Iterator[str]:
    """A trial of RPZ out: the names that are denied or spared, as a zone."""
    yield "$ORIGIN rpz.example.\n@ 60 SOA ns.example. root.example. 1 60 60 60 60"
    for line in lines:
        target = "rpz-passthru." if line.action == "allow" else "."
        owners = {"exact": [""], "below": ["*."], "both": ["", "*."], "pattern": []}[line.match]
        yield from (f"{owner}{line.name[:-1]} 60 CNAME {target}" for owner in owners)


def test_the_policy_can_be_served_as_another_format(tmp_path):
    lists = {"allow:good": "||cdn.bad.example^\n", "bad": "||bad.example^\n0.0.0.0 host.example\n"}
    first = Policy(snapshot_of(tmp_path / "one", lists), ruled())
    zone = "\n".join(rpz_of(walk(first, NOW)))
    second = Policy(snapshot_of(tmp_path / "two", {"zone": f"{zone}\n"}), ruled())
    for name in (
        "bad.example.",
        "a.bad.example.",
        "x.cdn.bad.example.",
        "host.example.",
        "a.host.example.",
    ):
        verdicts = [decide.lists(policy, name, Asked("default", NOW)) for policy in (first, second)]
        actions = [verdict and verdict.action for verdict in verdicts]
        assert actions[0] == actions[1], name


TERMED = st.lists(
    st.tuples(
        st.sampled_from(
            ["||{}^", "@@||{}^", "|{}^", "@@|{}^", "||a*.{}^", "/^a.*{}$/", "address=/{}/", "server=/{}/#", "{}"]
        ),
        st.sampled_from(["x.test", "a.x.test", "b.a.x.test"]),
        st.sampled_from(
            ["", "", "$important", "$badfilter", "$dnstype=AAAA", "$client=192.0.2.1", "$denyallow=a.x.test"]
        ),
    ).map(lambda one: one[0].format(one[1]) + (one[2] if one[0][0] in "|@/" else "")),
    max_size=6,
)  # fmt: skip
WHO = [
    Asked("default", NOW, False, qtype, client) for qtype in (1, 28) for client in ("192.0.2.1", "")
]


def weighed(lines: list[PolicyLine], name: str, asked: Asked) -> str | None:
    """What decides among lines with terms, by what the documents say."""
    speaking = [one for one in lines if matches(one, name) and holds(one.terms, name, asked)]
    bad = {plainly(one) for one in speaking if one.terms and one.terms.is_bad}
    speaking = [one for one in speaking if plainly(one) not in bad]
    asking = max((one.name.count(".") for one in speaking if one.action == "ask"), default=0)
    others = [one for one in speaking if one.action != "ask"]
    left = [one for one in others if not is_lifted(one, asking)]
    for is_strong in (True, False):
        for action, outcome in (("allow", "allow"), ("deny", "block")):
            if any(one.action == action and is_important(one) is is_strong for one in left):
                return outcome
    return "allow" if len(left) < len(others) else None


def holds(terms: Terms | None, name: str, asked: Asked) -> bool:
    if terms is None:
        return True
    is_type = not terms.types or asked.qtype in terms.types
    is_for = not terms.clients or asked.client in terms.clients
    return is_type and is_for and not any(f".{name}".endswith(f".{one}") for one in terms.spared)


def plainly(one: PolicyLine) -> tuple[str, str, str, Terms]:
    terms = one.terms or Terms()
    return one.name, one.match, one.action, replace(terms, is_bad=False)


def is_important(one: PolicyLine) -> bool:
    return bool(one.terms and one.terms.important)


def is_lifted(one: PolicyLine, labels: int) -> bool:
    is_plain = one.action == "deny" and one.match != "pattern" and not is_important(one)
    return is_plain and one.name.count(".") < labels


@given(lists=st.lists(TERMED, min_size=1, max_size=3))
def test_walking_and_deciding_agree_about_terms(tmp_path_factory, lists):
    folder = tmp_path_factory.mktemp("terms")
    policy = Policy(snapshot_of(folder, {f"l{n}": "\n".join(one) for n, one in enumerate(lists)}))
    lines = list(walk(policy, NOW))
    for name in ("x.test.", "a.x.test.", "b.a.x.test.", "ac.x.test.", "c.b.a.x.test."):
        for asked in WHO:
            verdict = decide.lists(policy, name, asked)
            assert (verdict and verdict.action) == weighed(lines, name, asked), (name, asked)
