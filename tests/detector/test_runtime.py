"""ONNX Runtime as the detector uses it: labels of one width together, answers in order."""

import numpy as np
import pytest

from namewarden.detector.folder import PACKAGED, ModelError, read
from namewarden.detector.runtime import AT_ONCE, Runtime, asked
from tests.detector import conformance
from tests.detector.networks import CLASSES, voting


def test_answers_come_in_the_order_of_the_labels():
    found = Runtime(read(PACKAGED)[1], 0)
    labels = conformance.made_up(AT_ONCE + 20)
    assert np.array_equal(found.logits(labels), [found.logit(label) for label in labels])


def test_families_are_there_where_classes_are():
    labels = ["aab", "c", ""]
    assert Runtime(voting(), len(CLASSES)).families(labels).tolist() == [
        [0, 2, 1],
        [1, 0, 0],
        [0] * 3,
    ]
    assert Runtime(voting(with_families=False), 0).families(labels).shape == (3, 0)


def test_what_onnx_runtime_raises_is_a_model_error():
    def fails() -> None:
        raise ValueError("said \x1b[2J so")

    with pytest.raises(ModelError, match="said  .2J so"):
        asked(fails)
