"""Prepared denials are made once for a list and a group; what they mean: `net/test_one_path.py`."""

from msgspec.structs import replace

from namewarden.policy.compile import compile_snapshot
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec
from namewarden.stages.denials import Denials, Prepared, PreparedDenials
from tests.policy.made import SECRET, spec_of


def of_default(made: PreparedDenials) -> tuple[Denials, list[Prepared]]:
    found = made.of("default")
    assert found is not None
    return found, [one for one in found.answers if one is not None]


def test_only_what_is_new_is_made_when_lists_are_swapped(tmp_path):
    spec = spec_of(tmp_path, {"a": "a.test\n", "b": "b.test\n"})
    in_force = [Policy(compile_snapshot(spec, SECRET, tmp_path / "one.snap"))]
    made = PreparedDenials(lambda: in_force[-1], ["lan."], "resolver")
    first, old = of_default(made)
    more = replace(spec, lists=(*spec_of(tmp_path, {"c": "c.test\n"}).lists, *spec.lists))
    in_force.append(Policy(compile_snapshot(more, SECRET, tmp_path / "two.snap")))
    second, new = of_default(made)
    kept = {id(one.tail) for one in old}
    assert [id(one.tail) in kept for one in new] == [False] * 9 + [True] * 18
    assert second.source is not first.source
    events = [second.source.event_of(one.code) for one in new]
    assert {event.group for event in events} == {"default"}


def test_what_a_group_answers_is_made_anew_when_it_changes(tmp_path):
    spec = spec_of(tmp_path, {"a": "a.test\n"})
    in_force = [Policy(compile_snapshot(spec, SECRET, tmp_path / "one.snap"))]
    made = PreparedDenials(lambda: in_force[-1], ["lan."], "resolver")
    first, old = of_default(made)
    other = replace(spec, groups=(GroupSpec(name="default", block="nxdomain"),))
    in_force.append(Policy(compile_snapshot(other, SECRET, tmp_path / "two.snap")))
    second, new = of_default(made)
    assert [one.head for one in old] != [one.head for one in new]
    assert of_default(made)[1] == new
