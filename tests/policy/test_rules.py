"""Rules found through base and changes are those of the plain list; a change reaches the names it says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import overlay, rules
from namewarden.policy.errors import ListError
from namewarden.policy.overlay import Overlay
from namewarden.policy.rules import Layer, Rules
from namewarden.policy.spec import RuleSpec
from tests.policy.made import SECRET, ruled

LABEL = st.sampled_from(["a", "b", "www"])
NAMES = st.lists(LABEL, min_size=1, max_size=4).map(lambda labels: ".".join([*labels, "test."]))
RULE = st.builds(
    RuleSpec,
    id=st.sampled_from(["decision", "1", "2"]),
    name=NAMES,
    effect=st.sampled_from(["allow", "deny"]),
    match=st.sampled_from(["exact", "below", "both"]),
    expires=st.sampled_from([0.0, 500.0]),
)
SETS = st.frozensets(RULE, max_size=8)


def layered(base, now):
    """The rules `now`, as changes of `base`."""
    changes = Overlay(2, tuple(now - base), tuple(base - now), 1, b"digest")
    return Rules(changes, Layer(base))


def changed(before, now) -> Any:
    return rules.changed(before, now)


def found(these, name):
    return sorted(these.find(name), key=repr)


@given(base=SETS, now=SETS, asked=st.lists(NAMES, min_size=1, max_size=8))
def test_changes_of_a_base_say_what_the_plain_rules_say(base, now, asked):
    plain, changed = ruled(now), layered(base, now)
    assert set(changed) == now
    for name in asked:
        assert found(changed, name) == found(plain, name)
        assert changed.reaches(name) == plain.reaches(name) == bool(found(plain, name))


@given(before=SETS, now=SETS, base=SETS, asked=st.lists(NAMES, min_size=1, max_size=8))
def test_names_whose_rules_changed_are_reached(before, now, base, asked):
    for one, other in ((ruled(before), ruled(now)), (layered(base, before), layered(base, now)),
                       (ruled(before), layered(base, now))):  # fmt: skip
        reaches = changed(one, other)
        assert reaches is not None
        for name in asked:
            if found(one, name) != found(other, name):
                assert reaches(name)


def test_names_that_no_changed_rule_reaches_are_left_alone():
    before = ruled([RuleSpec("1", "a.test.", "deny"), RuleSpec("2", "b.test.", "deny", "both")])
    now = ruled([RuleSpec("1", "a.test.", "deny"), RuleSpec("2", "b.test.", "allow", "below")])
    reaches = changed(before, now)
    asked = ("a.test.", "x.a.test.", "b.test.", "x.b.test.", "xb.test.", "test.")
    assert [name for name in asked if reaches(name)] == ["b.test.", "x.b.test."]
    assert not changed(now, now)("a.test.")
    everything = changed(now, ruled([*now, RuleSpec("3", ".", "deny", "below")]))
    assert everything("a.test.")


def test_many_changed_suffixes_are_looked_up():
    many = ruled([RuleSpec(str(n), f"n{n}.test.", "deny", "below") for n in range(100)])
    reaches = changed(ruled(), many)
    assert reaches("x.n77.test.") and not reaches("n77.test.") and not reaches("x.n100.test.")


def test_an_expression_that_changes_may_reach_any_name():
    expression = RuleSpec("1", "^ads", "deny", "pattern")
    assert changed(ruled(), ruled([expression])) is None
    assert changed(ruled([expression]), ruled()) is None
    other = ruled([expression, RuleSpec("2", "a.test.", "deny")])
    assert not changed(ruled([expression]), other)("b.test.")


def test_expressions_that_stay_are_not_compiled_again():
    expression = RuleSpec("1", "^ads", "deny", "pattern")
    before = Rules(Overlay(1, (expression,)))
    now = Rules(Overlay(2, (expression, RuleSpec("2", "a.test.", "deny"))), None, before)
    assert now.top._set is before.top._set
    assert [rule.id for _, _, rule in now.find("ads.test.")] == ["1"]


def test_a_base_is_read_once(tmp_path):
    base = (RuleSpec("1", "a.test.", "deny"), RuleSpec("2", "b.test.", "deny"))
    digest = overlay.write(tmp_path, Overlay(1, base), SECRET)
    overlay.write(tmp_path, Overlay(2, (), base[:1], 1, digest), SECRET)
    overlay.write(tmp_path, Overlay(3, (), base[1:], 1, digest), SECRET)
    first = rules.load(overlay.path_of(tmp_path, 2), SECRET)
    second = rules.load(overlay.path_of(tmp_path, 3), SECRET, first)
    assert [set(first), set(second)] == [{base[1]}, {base[0]}]
    assert second.base is first.base
    overlay.path_of(tmp_path, 1).unlink()
    with pytest.raises(ListError):
        rules.load(overlay.path_of(tmp_path, 3), SECRET)
