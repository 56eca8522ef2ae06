"""The product's network: its memory, and that no label taught remembers itself."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.detector.encoding import encode
from namewarden.training.grams import GROUPS
from namewarden.training.recipe import Examples, Options
from namewarden.training.recipes import own

BENIGN = [f"garden{letter}" for letter in "abcdefghijklmnop"]
GENERATED = [f"qxzkvj{letter}" for letter in "abcdefghijklmnop"]
TAUGHT = Examples(
    [*BENIGN, *GENERATED, "wvwvwv"],
    np.array([0.0] * 16 + [1.0] * 17, np.float32),
    np.array([-1] * 16 + [1] * 16 + [0], np.int32),
)


@pytest.fixture(scope="module")
def memory():
    model = own.build(1, 2)
    own.remember(model, TAUGHT)
    return model.get_layer("memory")


def seen(memory, label, side):
    """By letter of the label: what the groups made, and what is counted of benign labels."""
    found = np.asarray(memory(encode([label], 16), np.array([[side]], np.int32)))[0, : len(label)]
    return found[:, :GROUPS], found[:, GROUPS:] * own.SCALE


def test_what_was_met_often_is_remembered_by_side(memory):
    made, benign = seen(memory, "gardenz", 0)
    assert (benign[5] > 0).all() and not made.any()
    made, benign = seen(memory, "qxzkvjz", 0)
    assert made[5].tolist() == [2, 0, 0, 0, 0, 0, 0, 0]  # both tables, the first group
    assert benign[5, 0] == 0


def test_made_up_names_are_no_memory(memory):
    assert not any(part.any() for part in seen(memory, "wvwvwv", 0))


def test_a_label_taught_does_not_remember_itself(memory):
    """The last letter's trigram stands in one label only: there for others, not for the label itself."""
    assert seen(memory, "gardena", 0)[1][6, 0] == 1 and seen(memory, "gardena", 1)[1][6, 0] == 0
    few = own.build(1, 2)
    own.remember(few, Examples(GENERATED[:4], np.ones(4, np.float32), np.ones(4, np.int32)))
    memory = few.get_layer("memory")
    assert seen(memory, "qxzkva", 0)[0][4, 0] == 2 and seen(memory, "qxzkva", 2)[0][4, 0] == 0


def test_what_is_beyond_belief_teaches_nothing():
    import keras

    loss = own.suspect(Options(smoothing=0.0, benign_weight=4.0))
    said = np.array([[7.0], [5.0], [5.0]], np.float32)
    truth = np.array([[0.0], [0.0], [1.0]], np.float32)
    assert np.asarray(loss(truth, said))[:, 0] == pytest.approx([28.0, 20.0, 0.0], abs=0.05)
    import jax

    def whole(logits):
        return keras.ops.sum(loss(truth, logits))

    slopes = np.asarray(jax.grad(whole)(said))[:, 0]
    assert slopes[0] == 0 and slopes[1] > 3.9 and slopes[2] < 0
