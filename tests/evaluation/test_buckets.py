"""Sorts of benign labels are told by rules that mean what they say."""

import pytest

from namewarden.detector.label import Labels
from namewarden.evaluation.buckets import RULES, measure, show
from tests.evaluation.small import lengths


@pytest.mark.parametrize(
    ("sort", "yes", "no"),
    [
        ("internationalized (xn--)", "xn--mnchen-3ya", "munich"),
        ("numeric", "163-58", "a163"),
        ("letters and digits mixed", "4chan", "163"),
        ("at most 5 characters", "abcde", "abcdef"),
        ("initials, no vowel", "bbcwrld", "bbcworld"),
        ("two hyphens or more", "a-b-c", "xn--a-b"),
        ("at least 20 characters", "a" * 20, "a" * 19),
        ("coined brands (by their endings)", "spotify", "museum"),
        ("advertising and tracking (by their words)", "ads-server", "heads"),
    ],
)
def test_a_rule(sort, yes, no):
    assert RULES[sort](yes) and not RULES[sort](no)


def test_sorts_of_labels_and_of_names_are_judged_alike():
    found = measure(
        ["163", "a" * 20], {"mine": ["printer", "b" * 20 + ".org"], "none": []}, lengths,
        [5.0, 8.0, 12.0], Labels((), remembered=0),
    )  # fmt: skip
    assert found["at least 20 characters"].blocked.hits == 1
    assert (found["mine"].unscored, found["mine"].blocked.hits) == (1, 1)
    assert "none" not in found and "numeric" in found
    assert "| mine | 2 | 1 |" in show(found)


def test_at_most_so_many_of_a_sort():
    found = measure(
        [], {"mine": ["a.org"] * 9}, lengths, [5.0] * 3, Labels((), remembered=0), most=4
    )
    assert found["mine"].blocked.names == 4
