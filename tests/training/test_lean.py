"""The lean graph says what Keras says, and a row's logit does not depend on its company or its padding."""

import numpy as np
import onnxruntime
import pytest

from namewarden.detector.encoding import WIDTHS, encode
from namewarden.training.lean import lean
from namewarden.training.recipes import char_cnn

LABELS = ["example", "xjq7k2vbn", "a", "", "mail-01", "ab_cd", "zzzzzzzzzzzzzz"]


@pytest.fixture(scope="module")
def model():
    return char_cnn.build(seed=3)


@pytest.fixture(scope="module")
def session(model):
    network = lean([np.asarray(variable.value) for variable in model.weights])
    return onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])


def run(session, labels, width):
    return session.run(None, {"rows": encode(labels, width)})[0]


def test_it_says_what_keras_says(model, session):
    rows = encode(LABELS, WIDTHS[1])
    wanted = np.asarray(model(rows, training=False))
    assert np.abs(run(session, LABELS, WIDTHS[1]) - wanted).max() < 1e-5


def test_neither_company_nor_padding_changes_the_last_bit(session):
    together = run(session, LABELS, WIDTHS[-1])
    for width in WIDTHS:
        alone = np.concatenate([run(session, [label], width) for label in LABELS])
        assert (alone == together).all()
