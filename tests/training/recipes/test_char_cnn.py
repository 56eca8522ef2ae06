"""The recipe's network: small, one logit a row, and indifferent to padding."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.detector.encoding import WIDTHS, encode
from namewarden.training.recipes import char_cnn


def test_padding_says_nothing():
    model = char_cnn.build(seed=1)
    wide = np.asarray(model(encode(["example", "a", ""])))
    narrow = np.asarray(model(encode(["example", "a", ""], WIDTHS[0])))
    assert wide.shape == (3, 1)
    assert np.abs(wide - narrow).max() < 1e-6


def test_small_and_repeatable():
    one, two = char_cnn.build(seed=1), char_cnn.build(seed=1)
    assert one.count_params() < 150_000
    for a, b in zip(one.weights, two.weights, strict=True):
        assert np.array_equal(a.value, b.value)
