"""The product's network: its memory, and that no label taught remembers itself."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.detector.encoding import encode
from namewarden.training.groups import FLOOR, GROUPS, fold
from namewarden.training.recipe import Examples, FitOptions
from namewarden.training.recipes import own

LETTERS = "abcdefghijklmnopqrst"
BENIGN = [f"garden{letter}" for letter in LETTERS]
GENERATED = [f"qxzkvj{letter}" for letter in LETTERS]
EXPECTED, SURPRISE = 0.0, FLOOR


def taught(labels, family):
    return Examples(
        labels,
        np.array([at != -1 for at in family], np.float32),
        np.array(family, np.int32),
        np.ones(len(labels), np.float32),
    )


def memory_of(examples):
    model = own.build(1, 2)
    own.remember(model, examples)
    return model.get_layer("memory")


@pytest.fixture(scope="module")
def memory():
    return memory_of(taught([*BENIGN, *GENERATED, "wvwvwv"], [-1] * 20 + [1] * 20 + [0]))


def seen(memory, label, side):
    """By letter of the label: its surprise under the groups, and what is counted of benign labels."""
    found = np.asarray(memory(encode([label], 16), np.array([[side]], np.int32)))[0, : len(label)]
    return found[:, :GROUPS] * own.SURPRISE, found[:, GROUPS:] * own.SCALE


def test_what_was_met_often_is_remembered_by_side(memory):
    made, benign = seen(memory, "gardenz", 0)
    assert (benign[5] > 0).all() and (made == SURPRISE).all()
    made, benign = seen(memory, "qxzkvjz", 0)
    assert made[5, 0] == pytest.approx(EXPECTED, abs=0.1) and (made[5, 1:] == SURPRISE).all()
    assert not benign[5].any()


def test_made_up_names_are_no_memory(memory):
    made, benign = seen(memory, "wvwvwv", 0)
    assert (made[5] == SURPRISE).all() and not benign[
        5, :3
    ].any()  # a stranger may look met in a table


def test_a_label_taught_does_not_remember_itself(memory):
    """The last letter's trigram stands in one label only: there for others, not for the label itself."""
    assert seen(memory, "gardena", 0)[1][6, 0] == 1 and seen(memory, "gardena", 1)[1][6, 0] == 0
    same = [label for label in (f"zjqv{n}" for n in range(99)) if fold(label) == 3][:4]
    few = memory_of(taught(same, [1] * 4))
    assert seen(few, same[0], 0)[0][3, 0] < 1
    assert seen(few, same[0], 2 + 3)[0][3, 0] == SURPRISE
    assert seen(few, same[0], 2 + 1)[0][3, 0] < 1


def test_of_all_groups_the_one_that_it_surprises_least_is_told():
    pooled = np.full((2, own.EMBEDDING + GROUPS + 4), -9.0, np.float32)
    pooled[:, own.EMBEDDING : own.EMBEDDING + GROUPS] = [[3.0], [7.0]]
    pooled[0, own.EMBEDDING + GROUPS - 1] = 0.5
    assert np.asarray(own._least(pooled)).tolist() == [[0.5], [7.0]]


def test_sides_tell_what_a_name_is_not_to_remember():
    sides = own.sides(["a", "b", "c"], np.array([0, 1, 1], np.float32), np.array([-1, 3, 0]))
    assert sides.tolist() == [1, 2 + fold("b"), 0]


def test_what_is_beyond_belief_teaches_nothing():
    import keras

    loss = own.suspect(FitOptions(smoothing=0.0, benign_weight=4.0))
    said = np.array([[7.0], [5.0], [5.0]], np.float32)
    truth = np.array([[0.0], [0.0], [1.0]], np.float32)
    assert np.asarray(loss(truth, said))[:, 0] == pytest.approx([28.0, 20.0, 0.0], abs=0.05)
    import jax

    def whole(logits):
        return keras.ops.sum(loss(truth, logits))

    slopes = np.asarray(jax.grad(whole)(said))[:, 0]
    assert slopes[0] == 0 and slopes[1] > 3.9 and slopes[2] < 0
