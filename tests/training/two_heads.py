"""A network with a second head, as small as can be: what a recipe with families hands in."""

from typing import Any

import keras
from keras import layers

from namewarden.detector.encoding import SYMBOLS
from namewarden.training.recipe import Neural


def build(seed: int, classes: int) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    heard = layers.GlobalMaxPooling1D()(layers.Embedding(SYMBOLS, 16)(rows))
    hidden = layers.Dense(16, activation="relu")(heard)
    return keras.Model(rows, [layers.Dense(1)(hidden), layers.Dense(classes)(hidden)])


RECIPE = Neural(
    name="two-heads",
    source="tests",
    layers="embedding 16, dense 16, two heads",
    build=build,
    family_loss=lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
)
