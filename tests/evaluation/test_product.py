"""Whole names by the product's rules."""

import pytest

from namewarden.detector.bands import Thresholds
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.evaluation.product import action_of, judge_names
from tests.evaluation.small import lengths

LIMITS = [5.0, 8.0, 12.0]


def test_names_are_blocked_reviewed_or_not_scored():
    labels = Labels((), remembered=0)
    names = [
        "www.abcdefghijklmn.org",
        "abcdefghi.org",
        "abc.org",
        "printer",
        "abcdefghijklmn.github.io",
    ]
    found = judge_names(names, lengths, LIMITS, labels)
    assert (found.unscored, found.blocked.hits, found.review.hits) == (1, 1, 2)
    assert [it.hits for it in found.reached] == [3, 3, 2]
    assert found.blocked.names == 5 and found.labels == ["abcdefghijklmn"]


@pytest.mark.parametrize(
    ("what", "action"),
    [
        (Scorable("x", "icann", "x.org", "x.org"), "block"),
        (Scorable("x", "dynamic", "x.org", "x.org"), "block"),
        (Scorable("x", "private", "x.org", "x.org"), "review"),
        (Unscored("reverse"), "allow"),
    ],
)
def test_a_private_suffix_is_at_most_reviewed(what, action):
    assert action_of(what, 13.0, Thresholds(*LIMITS)) == action
