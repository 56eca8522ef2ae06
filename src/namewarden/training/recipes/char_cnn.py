"""The first recipe: a character CNN of several widths, small enough for the resolver's own thread.

Padding is masked everywhere, so a row gives the same logit however much padding follows it: training may run on
narrow batches, the packaged model on full rows.
"""

from typing import Any

import keras
from keras import layers, ops

from namewarden.detector.encoding import PADDING, SYMBOLS
from namewarden.training.recipe import Neural

EMBEDDING = 32
CHANNELS = 72
WIDTHS = (2, 3, 4, 5)
HIDDEN = 128


def build(seed: int, classes: int = 0) -> Any:
    """Rows of codes [batch, width] → logits [batch, 1]."""
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(rows, PADDING), "float32"), -1)
    letters = layers.Embedding(SYMBOLS, EMBEDDING)(rows) * mask  # [batch, width, embedding]
    length = ops.maximum(ops.sum(mask, axis=1), 1.0)  # [batch, 1]
    pooled = []
    for width in WIDTHS:
        found = layers.Conv1D(CHANNELS, width, padding="same", activation="relu")(letters) * mask
        pooled += [ops.max(found, axis=1), ops.sum(found, axis=1) / length]
    hidden = layers.Dense(HIDDEN, activation="relu")(layers.Concatenate()(pooled))
    logit = layers.Dense(1)(layers.Dropout(0.2)(hidden))
    return keras.Model(rows, logit)


RECIPE = Neural(
    name="char-cnn",
    source="own; after Kim 2014, Convolutional Neural Networks for Sentence Classification",
    layers="embedding 32, convolutions 72 of widths 2-5, maximum and mean, dense 128, dense 1",
    build=build,
)
