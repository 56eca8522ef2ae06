"""The packaged network is read, its shapes are right, and what is drawn has a line a layer."""

from math import prod

import pytest

from namewarden.detector.model import PACKAGED
from namewarden.evaluation.network import Layer, draw, layers_of, layers_of_keras, show

DIAMOND = [
    Layer("a", "Embed", ["rows"], [1, 4], 40),
    Layer("b", "Conv", ["a"], [1, 4], 10),
    Layer("c", "Pool", ["a"], [1, 4], 0),
    Layer("d", "Add", ["b", "c"], [1, 1], 0),
]


def test_the_packaged_network():
    layers = layers_of((PACKAGED / "model.onnx").read_bytes())
    assert layers[-1].shape[0] == 1 and prod(layers[-1].shape) >= 1
    assert 1000 < sum(layer.parameters for layer in layers) < 1_000_000
    assert "logits" in {layer.name for layer in layers}


def test_a_drawing_says_what_goes_where():
    assert [line.partition("  ")[0].rstrip() for line in draw(DIAMOND)] == [
        "●",
        "●",
        "┼ ●",
        "● │",
        "● ┴",
    ]
    assert "Embed a [1×4]  40 parameters" in draw(DIAMOND)[1]


def test_a_network_of_keras_is_asked_for_its_layers():
    pytest.importorskip("jax", reason="needs the extra `train`")
    pytest.importorskip("namewarden.training")  # says which backend Keras takes
    import keras

    given = keras.Input((3,), name="given")
    one = keras.layers.Dense(2, name="one")(given)
    last = keras.layers.Add(name="sum")([one, keras.ops.abs(one)])
    layers = layers_of_keras(keras.Model(given, last))
    assert [(layer.name, layer.takes) for layer in layers] == [("one", ["input"]), ("sum", ["one"])]
    assert [layer.parameters for layer in layers] == [8, 0]
    assert layers[-1].shape == [0, 2] and "[any×2]" in draw(layers)[-1]


def test_the_table_adds_up():
    assert "| **all** |  |  | 50 |" in show(DIAMOND)
    assert show([], "trees\n") == "trees\n"
