"""Bare expressions, and those that RE2 would read otherwise than their author meant."""

import pytest

from namewarden.policy.expressions import is_bare, read
from namewarden.policy.formats import read_line


@pytest.mark.parametrize(
    "line",
    [
        r"(^|\.)bad\.example$", r"^ad[sxv]?[0-9]*[_.-]", r"^(.+[_.-])?telemetry[_.-]", "ads?", "one|other", "adse?rv",
        r"(\.|^)(a|b)\.example$", r"[0-9]{6,}\.example", r"^ads;querytype=A", r"\.agency$", "^wpad", "track(er|ing)",
        r"(?i)^tracker[0-9]{1,3}\.", r"^[^.:]+\.bad",
    ],
)  # fmt: skip
def test_bare_expressions_are_known(line):
    assert is_bare(line)
    reading = read_line(line)
    assert isinstance(reading, tuple) and reading[0].match == "pattern"


@pytest.mark.parametrize(
    "line",
    [
        "bad.example", "*.bad.example", "-ad.jpg?", ".html?ad_", "&ad_box_", "?ad_tag=", "-ad-mpu+", "0.0.0.0 a.test",
        "bad.example # why?", "http://bad.example/a?b", "bad.example:8080", "ad.php?x", "||bad.example^", "2001:db8::1",
    ],
)  # fmt: skip
def test_what_is_no_expression(line):
    assert not is_bare(line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("^gooogle{~1}$", "pattern"),
        ("^foo{+1 -2}$", "pattern"),
        ("(abc){#1}", "pattern"),
        ("a{,3}b", "pattern"),
        ("[[.hyphen.]]x", "pattern"),
        ("[[=a=]]x", "pattern"),
        (r"\<ads\>", "pattern"),
        (r"(a)\1", "pattern"),
        ("(?=a)b", "pattern"),
        ("^a;reply=IP", "option"),
        ("^a;reply=nonsense", "option"),
        ("^a;querytype=NOTYPE", "option"),
        ("^a;querytype=", "option"),
        ("^a;nonsense", "option"),
        (".*", "pattern"),
    ],
)
def test_what_is_read_otherwise_or_not_at_all_is_skipped(line, reason):
    assert read(line) == reason


def test_braces_that_are_no_repetition_may_be_escaped():
    assert read(r"a\{x") != "pattern"
    assert read("a{2}b{2,}c{2,3}") != "pattern"
