"""What can be told without reading a name is told, and nothing else."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `train`")

from namewarden.training.shortcuts import by_shortcuts


def names(dice, size, end, count=200):
    letters = "abcdefghijklmnopqrstuvwxyz"
    return ["".join(dice.choice(list(letters), size)) + end for _ in range(count)]


def test_length_and_suffix_are_told():
    dice = np.random.default_rng(1)
    for benign, bad in (
        (names(dice, 6, ".example"), names(dice, 12, ".example")),
        (names(dice, 8, ".example"), names(dice, 8, ".invalid")),
    ):
        logits_of = by_shortcuts(benign[:150], bad[:150])
        assert (logits_of(benign[150:]) < 0).all() and (logits_of(bad[150:]) > 0).all()


def test_the_suffix_is_not_looked_at_where_that_is_asked():
    dice = np.random.default_rng(1)
    benign, bad = names(dice, 8, ".example"), names(dice, 8, ".invalid")
    assert np.unique(by_shortcuts(benign, bad, most=0)(benign + bad)).size == 1


def test_no_names_no_answers():
    assert by_shortcuts(["a.example"] * 9, ["bbbbbb.example"] * 9)([]).shape == (0,)
