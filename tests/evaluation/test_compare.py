"""Differences are of the same families, and their interval is theirs."""

import msgspec
import pytest

from namewarden.evaluation.compare import difference, show
from tests.evaluation.figure import measured


def worse(figures, by):
    """The same, with less found of every family."""
    groups = {}
    for name, group in figures.detection.groups.items():
        families = {
            family: msgspec.structs.replace(it, found=[found - by for found in it.found])
            for family, it in group.families.items()
        }
        groups[name] = msgspec.structs.replace(group, families=families)
    about = msgspec.structs.replace(figures.about, title="recipe y")
    detection = msgspec.structs.replace(figures.detection, groups=groups)
    return msgspec.structs.replace(figures, about=about, detection=detection)


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
    text = show(found, [worse(found, 0.1), worse(found, -0.1)])
    assert text.count("| recipe y, quick run | unseen |") == 4
    assert "+10.0 (+10.0 to +10.0) |" in text and "-10.0 (-10.0 to -10.0) **(worse)**" in text
