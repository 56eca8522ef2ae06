"""A character CNN over whole host names, for the seed's own task (`evaluation/seed_task.py`) and nothing else.

The product judges one label; this reads every label and the suffix, a dot is one more letter. Only maxima are
pooled, so that no column says how long the name is; much is dropped, since that task has few names.
"""

from typing import Any

import keras
from keras import layers, ops

from namewarden.detector.encoding import PADDING, SYMBOLS
from namewarden.training.recipe import FitOptions, Neural

EMBEDDING = 32
CHANNELS = 64
WIDTHS = (2, 3, 4, 5, 6)
HIDDEN = 128
DROPPED = 0.5


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(rows, PADDING), "float32"), -1)
    letters = layers.SpatialDropout1D(0.1)(layers.Embedding(SYMBOLS, EMBEDDING)(rows)) * mask
    pooled = []
    for width in WIDTHS:
        found = layers.Conv1D(CHANNELS, width, padding="same", activation="relu")(letters) * mask
        pooled.append(ops.max(found, axis=1))
    hidden = layers.Dropout(DROPPED)(layers.Concatenate()(pooled))
    hidden = layers.Dropout(DROPPED)(layers.Dense(HIDDEN, activation="relu")(hidden))
    return keras.Model(rows, layers.Dense(1)(hidden))


RECIPE = Neural(
    name="host-cnn",
    source="own; after Kim 2014, Convolutional Neural Networks for Sentence Classification",
    layers="embedding 32, convolutions 64 of widths 2-6, maxima, dense 128, dropout 0.5, dense 1; whole host names",
    build=build,
    buckets=(16, 24, 40, 64, 256),
    options=FitOptions(epochs=10, batch=128, rate=2e-3),
)
