"""Newer names, queried names, popular names."""

from namewarden.detector.label import Labels
from namewarden.evaluation.drift import DISTINCT, measure, show
from tests.evaluation.small import lengths


def found():
    return measure(
        ["abcdefghijklmn.org", "abc.org", "abd.org", "printer"],
        {"List 2026": ["abcdefghijklmn", "abcdefghi", "a"], "Empty": []},
        ["popular", "abcdefghijklmnop", "abcdefghi"],
        lengths,
        [5.0, 8.0, 12.0],
        Labels((), remembered=0),
    )


def test_shares_blocked_and_in_review():
    it = found()
    assert (it.queried.blocked.rate, it.queried.unscored) == (0.25, 1)
    assert list(it.newer) == ["List 2026"]
    assert (it.newer["List 2026"].blocked.hits, it.newer["List 2026"].at_least_review.hits) == (
        1,
        2,
    )


def test_popular_names_are_listed():
    assert found().popular_blocked == ["abcdefghijklmnop"]
    assert found().popular_review == ["abcdefghi"]
    assert "blocked: `abcdefghijklmnop`; in review: `abcdefghi`" in show(found())


def test_false_blocks_a_day_are_at_a_stated_load():
    assert found().false_blocks[0] == DISTINCT / 4
    assert "10,000,000 queries for 200,000 different names" in show(found())
