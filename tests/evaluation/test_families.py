"""F1 and the area of unknown, by hand."""

import numpy as np
import pytest

from namewarden.evaluation.families import measure, scores, show


def test_f1_of_each_family():
    found = scores(["a", "a", "b", "b"], ["a", "b", "b", ""])
    assert found == {"a": pytest.approx(2 / 3), "b": pytest.approx(0.5)}


def test_on_all_names_and_on_those_found():
    known = {"a": ["a"] * 10, "b": ["b"] * 10, "few": ["f"]}

    def guess(labels):
        return ["a"] * len(labels), np.array([2.0 if label in "ab" else 1.0 for label in labels])

    detected = {"a": [True] * 10, "b": [False] * 10, "few": [True]}
    found = measure(guess, known, {"new": ["c"] * 3}, detected)
    assert found.f1 == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert found.macro_all == pytest.approx(1 / 3)
    assert (found.macro_detected, found.unknown, found.classes) == (1.0, 1.0, 2)
    assert "| macro-F1, all names | 0.3333 |" in show(found)


def test_families_of_one_generator_may_have_one_name():
    found = measure(
        lambda labels: (["kraken"] * len(labels), np.zeros(len(labels))),
        {"kraken_v1": ["x"] * 10}, {}, {"kraken_v1": [True] * 10}, lambda family: "kraken",
    )  # fmt: skip
    assert (found.macro_all, found.unknown) == (1.0, None)
