"""Folds, what is held back, and what a killed run keeps."""

import numpy as np
import pytest

from namewarden.evaluation.left_out import families_of, folds, hold, load, means, run, show
from tests.evaluation.small import corpus, lengths


def test_one_generator_is_in_one_fold():
    dealt = folds(["kraken_v1", "kraken_v2", "locky_v2", "tinba", "gozi"], 3)
    assert sorted(family for fold in dealt for family in fold) == [
        "gozi", "kraken_v1", "kraken_v2", "locky_v2", "tinba"
    ]  # fmt: skip
    assert any({"kraken_v1", "kraken_v2"} <= set(fold) for fold in dealt)


def test_what_is_held_is_learned_from_nowhere_and_all_else_is():
    held = hold(corpus(), ["locky_v2"])
    assert not any("locky_v2" in found for found in held.known.values())
    assert set(held.known["train"]) | set(held.known["test"]) >= {"suppobox", "gozi", "tinba"}
    assert held.choose == {} and list(held.unseen) == ["locky_v2"]
    assert sorted(held.unseen["locky_v2"]) == sorted(families_of(corpus())["locky_v2"])


def test_folds_that_were_done_are_not_done_again(tmp_path):
    fitted: list[int] = []

    def fit(names, number):
        fitted.append(number)
        if len(fitted) == 2:
            raise KeyboardInterrupt
        return lengths

    with pytest.raises(KeyboardInterrupt):
        run(corpus(), fit, tmp_path / "kept.json", 2, "recipe x")
    assert [fold.number for fold in load(tmp_path / "kept.json")] == [0]
    done = run(corpus(), fit, tmp_path / "kept.json", 2, "recipe x")
    assert fitted == [0, 1, 1] and [fold.number for fold in done] == [0, 1]
    assert {family for fold in done for family in fold.families} == set(families_of(corpus()))


def test_folds_of_other_names_or_options_are_done_anew(tmp_path):
    kept = tmp_path / "kept.json"
    for made_of in ("one", "other"):
        done = run(corpus(), lambda names, number: lengths, kept, 2, "recipe x", made_of)
        assert {fold.made_of for fold in done} == {made_of}
    assert load(kept) == done


def test_means_are_over_generators_with_names_enough(tmp_path):
    done = run(corpus(), lambda names, number: lengths, tmp_path / "kept.json", 2, "recipe x")
    found = means(done)
    assert list(found) == ["all generators", "of characters", "of words"]
    assert np.isclose(found["all generators"][0].mean, 1.0)  # they are longer than benign ones
    assert "Recipe x, fitted anew" in show(done)
    assert "2 of 2 folds" in show(done) and "| gozi | gozi |" in show(done)
    assert "not measured" in show([])
