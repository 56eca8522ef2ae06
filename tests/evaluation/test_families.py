"""F1 and the area of unknown, by hand."""

import numpy as np
import pytest

from namewarden.evaluation.families import FamilyNaming, measure, scores, show


def test_f1_of_each_family():
    found = scores(["a", "a", "b", "b"], ["a", "b", "b", ""])
    assert found == {"a": pytest.approx(2 / 3), "b": pytest.approx(0.5)}


def test_on_all_names_and_on_those_found():
    known = {"a": ["a"] * 10, "b": ["b"] * 10, "few": ["f"]}

    def guess(labels):
        sure = np.array([2.0 if label in "ab" else 1.0 for label in labels])
        return ["a"] * len(labels), sure, -sure

    detected = {"a": [True] * 10, "b": [False] * 10, "few": [True]}
    found = measure(guess, known, {"unseen": {"new": ["c"] * 3}}, detected, {})
    assert found.f1 == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert found.macro_all == pytest.approx(1 / 3)
    assert (found.macro_detected, found.unknown, found.classes) == (1.0, 1.0, 2)
    assert found.unknown_named == 0.0
    assert "| the same of all, by the probability alone | 0.0000 |" in show(found)
    assert "| macro-F1, all names | 0.3333 |" in show(found)
    assert "by the label alone: the lists" in show(found) and found.whole == 0


def test_families_of_one_generator_may_have_one_name():
    found = measure(
        lambda labels: (["kraken"] * len(labels), np.zeros(len(labels)), np.zeros(len(labels))),
        {"kraken_v1": ["x"] * 10}, {}, {"kraken_v1": [True] * 10}, {}, lambda family: "kraken",
    )  # fmt: skip
    assert (found.macro_all, found.unknown, found.unknown_named) == (1.0, None, None)


def test_families_are_named_with_the_suffix_where_there_is_one():
    known = {
        "a": [f"a{number}" for number in range(10)],
        "b": [f"b{number}" for number in range(10)],
    }
    whole = {
        label: f"{label}.{family}.org" for family, labels in known.items() for label in labels[:5]
    }
    whole["c"] = "c.a.org"

    def guess(names):
        said = [name.partition(".")[2][:1] for name in names]
        return said, np.array([float(len(name)) for name in names]), np.zeros(len(names))

    held = {"chosen by": {"new": ["c"]}, "unseen": {"newer": ["d"], "none": []}, "no": {}}
    detected = {family: [True] * 10 for family in known}
    found = measure(guess, known, held, detected, whole)
    assert found.macro_all == pytest.approx(2 / 3)
    assert (found.macro_alone, found.whole) == (0.0, 10)
    assert found.unknown_of == {"chosen by": 0.5, "unseen": 1.0} and found.unknown == 0.75
    text = show(found)
    assert (
        "| macro-F1, by the label alone | 0.0000 |" in text
        and "suffix, as the product does: 10" in text
    )
    assert "| of these, unseen | 1.0000 |" in text


def test_figures_of_before_are_shown_as_they_were():
    text = show(FamilyNaming(2, 0.5, 0.25, None, {"a": 0.5}))
    assert text.endswith("| least | a 0.50 |\n") and text.count("\n") == 7 and "alone" not in text
