"""Any recipe becomes a judge, is fitted once, and is the same when it is loaded."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.fit import fit
from namewarden.training.recipe import FitOptions
from tests.training.small import GIBBERISH, WORDS, corpus

OPTIONS = FitOptions(epochs=60, batch=16, made_up=0, every=60, rate=0.01)


def test_a_network_is_fitted_once_and_then_loaded(tmp_path):
    first = fit("char-cnn", corpus(), tmp_path, OPTIONS)(WORDS + GIBBERISH)
    made = (tmp_path / "char-cnn" / "weights.npz").stat().st_mtime_ns
    again = fit("char-cnn", corpus(), tmp_path, OPTIONS)(WORDS + GIBBERISH)
    assert (tmp_path / "char-cnn" / "weights.npz").stat().st_mtime_ns == made
    assert first.dtype == np.float64 and np.array_equal(first, again)
    assert first[:5].max() < first[5:].min()


def test_an_unknown_recipe_is_said_with_those_there_are(tmp_path):
    with pytest.raises(SystemExit, match="no recipe soup; there are .*char-cnn"):
        fit("soup", corpus(), tmp_path)
