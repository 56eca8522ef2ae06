"""A plain residual CNN of the size of the first packaged model: what depth gives at equal cost.

Padding is masked everywhere, as in `char_cnn.py`.
"""

from typing import Any

import keras
from keras import layers, ops

from namewarden.detector.encoding import PADDING, SYMBOLS
from namewarden.training.recipe import Neural

EMBEDDING = 32
CHANNELS = 96
BLOCKS = 2
HIDDEN = 128


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(rows, PADDING), "float32"), -1)
    state = (
        layers.Conv1D(CHANNELS, 3, padding="same")(
            layers.Embedding(SYMBOLS, EMBEDDING)(rows) * mask
        )
        * mask
    )
    for _ in range(BLOCKS):
        found = (
            layers.Conv1D(CHANNELS, 3, padding="same", activation="relu")(ops.relu(state)) * mask
        )
        state = state + layers.Conv1D(CHANNELS, 3, padding="same")(found) * mask
    state = ops.relu(state)
    length = ops.maximum(ops.sum(mask, axis=1), 1.0)
    pooled = [ops.max(state, axis=1), ops.sum(state, axis=1) / length]
    hidden = layers.Dense(HIDDEN, activation="relu")(layers.Concatenate()(pooled))
    return keras.Model(rows, layers.Dense(1)(layers.Dropout(0.2)(hidden)))


RECIPE = Neural(
    name="res-cnn",
    source="own; after He et al. 2016, Deep Residual Learning for Image Recognition",
    layers="embedding 32, convolution 96 of width 3, 2 residual blocks of two more, max and mean, dense 128, dense 1",
    build=build,
)
