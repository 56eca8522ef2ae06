"""A recipe taught ten names by heart: every one can do that."""

from pathlib import Path

import numpy as np

from namewarden.training.fit import fit
from namewarden.training.recipe import FitOptions
from tests.training.small import GIBBERISH, WORDS, corpus

OPTIONS = FitOptions(epochs=60, batch=16, made_up=0, every=60, rate=0.01)


def check(name: str, out: Path, options: FitOptions = OPTIONS) -> None:
    judge = fit(name, corpus(), out, options)
    said = judge(WORDS + GIBBERISH)
    assert said.dtype == np.float64 and said.shape == (10,)
    assert said[:5].max() < said[5:].min()
    strange = judge(["", "a", "a" * 63, "xn--bcher-kva", "a_b", "7"])
    assert np.isfinite(strange).all()
    assert judge([]).shape == (0,)
    alone = np.concatenate([judge([label]) for label in WORDS])
    assert np.abs(alone - said[:5]).max() < 1e-4
