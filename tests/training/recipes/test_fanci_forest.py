"""The features by hand, and a forest of arrays that votes as the forest it was made of."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the extra `train`")
pytest.importorskip("keras", reason="needs the extra `train`")

from sklearn.ensemble import RandomForestClassifier

from namewarden.training.data import Corpus
from namewarden.training.fit import fit
from namewarden.training.recipe import FitOptions
from namewarden.training.recipes.fanci_forest import RECIPE, _vote, features, to_arrays


def test_features_by_hand():
    row = features(["ab12-zz"])[0].tolist()
    assert len(row) == 35
    assert row[:4] == [7, 0, 0, 0]  # length, repetition, only digits, only hexadecimal
    assert row[4:7] == pytest.approx([0, 1 / 7, 1])  # underscores, hyphens, any digit
    assert row[7:9] == pytest.approx([2 / 7, 1 / 7])  # digits, vowels
    assert row[9:11] == pytest.approx([6, 1 / 6])  # different characters, share of the repeated
    assert row[11:13] == pytest.approx([2 / 7, 2 / 7])  # consonants and digits in a row
    assert row[14:21] == pytest.approx([7 / 6, 0.3727, 1, 1, 1, 1, 2], abs=1e-4)  # 1-grams


def test_one_piece_over_and_over_and_hexadecimal():
    assert features(["abab", "aba", "", "a", "77"])[:, 1].tolist() == [1, 0, 0, 0, 1]
    assert features(["cafe", "77", "cage", ""])[:, 3].tolist() == [1, 1, 0, 0]


def test_the_arrays_vote_as_the_forest():
    dice = np.random.default_rng(1)
    rows = dice.normal(size=(500, 4)).astype(np.float32)
    forest = RandomForestClassifier(n_estimators=7, min_samples_leaf=3, random_state=1)
    forest.fit(rows, rows[:, 0] * rows[:, 1] + 0.3 * dice.normal(size=500) > 0)
    kept = to_arrays([tree.tree_ for tree in forest.estimators_])
    others = dice.normal(size=(300, 4)).astype(np.float32)
    assert _vote(kept, others) == pytest.approx(forest.predict_proba(others)[:, 1], abs=1e-6)


def test_it_learns(tmp_path):
    dice = np.random.default_rng(1)
    words = ["".join(dice.choice(list("abeilnorst"), 8)) for _ in range(300)]
    odd = ["".join(dice.choice(list("0123456789xz"), 12)) for _ in range(300)]
    names = Corpus(
        benign={"train": words[:200], "calibration": [], "test": []},
        single=[],
        known={"train": {"odd": odd[:200]}, "calibration": {}, "test": {}},
        choose={},
        unseen={},
    )
    judge = fit(RECIPE.name, names, tmp_path, FitOptions(made_up=0))
    assert judge(words[200:]).max() < judge(odd[200:]).min()
    assert np.isfinite(judge(["", "a", "a" * 63])).all() and judge([]).shape == (0,)
