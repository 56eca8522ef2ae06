"""Differences are of the same families, and their interval is theirs."""

import msgspec
import pytest

from namewarden.evaluation.compare import difference, measure, show
from tests.evaluation.figure import measured, named


def worse(figures, by):
    """The same, with less found of every family."""
    groups = {}
    for name, group in figures.detection.groups.items():
        families = {
            family: msgspec.structs.replace(it, found=[found - by for found in it.found])
            for family, it in group.families.items()
        }
        groups[name] = msgspec.structs.replace(group, families=families)
    detection = msgspec.structs.replace(figures.detection, groups=groups)
    changed = msgspec.structs.replace(figures, detection=detection)
    return named(changed, "recipe-y", title="recipe y", recipe="y")


def test_what_is_the_same_for_all_families_is_certain():
    found = measured()
    beside = difference(found, worse(found, 0.1), "known")
    assert beside and beside.families == 2 and beside.beaten == [True] * 3
    assert beside.found[0].mean == beside.found[0].low == pytest.approx(0.1)


def test_no_family_in_common_is_no_comparison():
    found = measured()
    assert difference(found, found, "nothing") is None


def test_all_are_shown_and_who_is_not_beaten_is_said():
    found = measured()
    text = show(measure(found, [worse(found, 0.1), worse(found, -0.1)]))
    assert text.count("| recipe y, quick run | unseen |") == 4
    assert "+10.0 (+10.0 to +10.0) |" in text and "-10.0 (-10.0 to -10.0) **(worse)**" in text
    assert "Other models: not measured" in show(None)


def test_baselines_are_held_against_the_own_recipe_on_all_terms_and_not_against_a_model_that_saw_all():
    found = measured()
    others = [
        named(found, "recipe-own", title="own", recipe="own"),
        named(found, "recipe-own-5x1", title="own, five", recipe="own"),
        named(found, "recipe-own-from-registry", recipe="own", learned_from="registry"),
        named(found, "recipe-y", title="y", recipe="y"),
    ]
    beside = measure(named(found, "packaged"), others)
    assert len(beside.models) == 5
    pairs = dict.fromkeys((it.ours, it.other) for it in beside.differences)
    assert list(pairs) == [
        ("own, quick run", "y, quick run"),
        ("own, five, quick run", "y, quick run"),
    ]
