"""Others' patterns: RE2, bounded, none that matches everything."""

import time

import pytest

from namewarden.policy.patterns import LENGTH_LIMIT, PatternSet, is_usable


@pytest.mark.parametrize(
    ("source", "usable"),
    [
        (r"\.agency$", True),
        ("^ads?[0-9]{1,3}\\.", True),
        ("", False),
        (".*", False),
        ("a*", False),
        ("^", False),
        ("(?=x)", False),
        (r"(a)\1", False),
        ("a" * LENGTH_LIMIT, True),
        ("a" * (LENGTH_LIMIT + 1), False),
        ("((a{100}){100}){100}", False),
        ("a\n", False),
    ],
)
def test_what_is_taken(source, usable):
    assert is_usable(source) is usable


def test_a_set_says_which_matched():
    patterns = PatternSet([r"\.agency$", "^ads", "s[.]a"])
    assert patterns.search("ads.agency.") == [0, 1, 2]
    assert patterns.search("www.example.org.") == []
    assert PatternSet([]).search("www.example.org.") == []


def test_a_pattern_made_to_backtrack_costs_nothing():
    patterns = PatternSet(["^(([a-z])+.)+[A-Z]([a-z])+$", "(a|aa)+$"])
    start = time.perf_counter()
    patterns.search("a" * 250 + "!.")
    assert time.perf_counter() - start < 0.5
