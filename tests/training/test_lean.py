"""The lean graph says what Keras says, and a row's logit does not depend on its company or its padding."""

import msgspec
import numpy as np
import onnxruntime
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.detector import forward, graph, growth, trial
from namewarden.detector.encoding import WIDTHS, encode
from namewarden.detector.folder import PACKAGED, read
from namewarden.training.recipe import Examples
from namewarden.training.recipes import own

LABELS = ["example", "xjq7k2vbn", "a", "", "mail-01", "ab_cd", "zzzzzzzzzzzzzz"]
NEVER = np.zeros((len(LABELS), 1), np.int32)
CLASSES = 4


@pytest.fixture(scope="module")
def model():
    made = own.build(3, CLASSES)
    labels = [f"{word}{end}" for word in ("example", "mail-0", "xjq7k2") for end in "abcdefghijkl"]
    bad = np.repeat([0.0, 0.0, 1.0], 12).astype(np.float32)
    weight = np.ones(len(labels), np.float32)
    own.remember(made, Examples(labels, bad, 2 * bad.astype(np.int32) - 1, weight))
    return made


@pytest.fixture(scope="module")
def session(model):
    return onnxruntime.InferenceSession(own.graph(model), providers=["CPUExecutionProvider"])


def run(session, labels, width):
    return session.run(["logits", "families"], {"rows": encode(labels, width)})


def test_it_says_what_keras_says(model, session):
    wanted = model([encode(LABELS, WIDTHS[-1]), NEVER], training=False)
    for found, said in zip(run(session, LABELS, WIDTHS[-1]), wanted, strict=True):
        assert np.abs(found - np.asarray(said)).max() < 1e-4


def test_it_is_made_of_what_the_resolver_loads(model):
    network = own.graph(model)
    assert graph.fault(network) == growth.fault(network) == ""
    trial.run(network, CLASSES)


def test_the_forward_pass_in_c_knows_it(model, session):
    """A change of the graph is one of `detector/_forward.c` too."""
    pytest.importorskip("namewarden.detector._forward", reason="C helpers not built")
    network = own.graph(model)
    assert graph.plan(network) == forward.PLAN
    logits, families = run(session, LABELS, WIDTHS[-1])
    manifest = msgspec.structs.replace(
        read(PACKAGED)[0],
        family_classes=("a", "b", "c", "d"),
        examples=dict(zip(LABELS, logits[:, 0].tolist(), strict=True)),
    )
    found = forward.load(manifest, network, {})
    assert found is not None
    assert np.abs(found.logits(LABELS) - logits[:, 0]).max() < 1e-5
    assert np.abs(found.families(LABELS) - families).max() < 1e-4


def test_neither_company_nor_padding_changes_the_last_bit(session):
    together = run(session, LABELS, WIDTHS[-1])[0]
    for width in WIDTHS:
        alone = np.concatenate([run(session, [label], width)[0] for label in LABELS])
        assert (alone == together).all()
