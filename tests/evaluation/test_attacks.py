"""Edits, counted by hand."""

import random

import numpy as np
import pytest

from namewarden.evaluation.attacks import (
    charbot,
    measure,
    one_edits,
    show,
    with_hyphens,
    worst,
)
from tests.evaluation.small import lengths


def test_all_single_edits_of_a_label():
    edits = one_edits("ab")
    substituted, deleted = 2 * 35, 2
    inserted = 36 + 37 + 36 - 2  # aab and abb come twice
    assert len(edits) == len(set(edits)) == substituted + inserted + deleted
    assert "a-b" in edits and "-ab" not in edits and "ab" not in edits


def test_an_edit_can_be_registered():
    assert all(it[0] != "-" != it[-1] for it in one_edits("a-b"))
    assert max(map(len, one_edits("a" * 63))) == 63
    assert one_edits("a") and "" not in one_edits("a")


def test_charbot_changes_two_characters_of_long_labels():
    (made,) = charbot(["weather", "short"], random.Random(1))
    assert sum(a != b for a, b in zip(made, "weather", strict=True)) == 2


@pytest.mark.parametrize("count", [1, 2])
def test_hyphens_are_put_inside(count):
    found = with_hyphens("abcdef", count, random.Random(1))
    assert found.replace("-", "") == "abcdef" and found.count("-") == count
    assert found[0] == "a" and found[-1] == "f" and "--" not in found
    assert with_hyphens("a", 1, random.Random(1)) == "a"


def test_the_worst_edit_is_each_names_own():
    assert worst(lengths, [["aaa", "aa"], ["bbbb"]]).tolist() == [2.0, 4.0]


def test_what_holds_is_counted_among_what_was_found():
    found = measure(
        lengths, [5.0, 6.0, 9.0], ["weather"], set(), {"f": ["abcde", "abcdef", "abc"]}, 3
    )
    assert found.one_edit and found.one_hyphen
    assert [it.hits for it in found.one_edit.before] == [2, 1, 0]
    assert [it.hits for it in found.one_edit.after] == [
        1,
        0,
        0,
    ]  # a deletion makes each one shorter
    assert [(it.hits, it.names) for it in found.one_edit.holds] == [(1, 2), (0, 1), (0, 0)]
    assert found.one_hyphen.after[1].hits == 2
    assert [it.rate for it in found.charbot] == [1.0, 1.0, 0.0]
    assert "one hyphen put in: after" in show(found)


def test_a_benign_name_is_no_attack():
    made = charbot(["weather"], random.Random(20261121))
    found = measure(lengths, [5.0, 6.0, 9.0], ["weather"], set(made), {}, 3)
    assert found.charbot[0].names == 0 and found.one_edit is None
    assert np.isfinite(found.edits) and "not measured" in show(found)
