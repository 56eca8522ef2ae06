"""One residual block over letters, maxima of four, one logit.

Drichel, Meyer, Schüppen, Teubert 2020, Analyzing the Real-World Applicability of DGA Classifiers (ARES; arXiv
2006.11103).
"""

from typing import Any

import keras
from keras import layers

from namewarden.detector.encoding import SYMBOLS, WIDTH
from namewarden.training.recipe import FitOptions, Neural, encode_left

CHANNELS = 128


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(WIDTH,), dtype="int32")
    letters = layers.Embedding(SYMBOLS, CHANNELS)(rows)
    found = layers.Conv1D(CHANNELS, 4, padding="same", activation="relu")(letters)
    found = layers.Conv1D(CHANNELS, 4, padding="same")(found)
    block = layers.Activation("relu")(layers.Add()([letters, found]))
    pooled = layers.Flatten()(layers.MaxPooling1D(4, padding="same")(block))
    return keras.Model(rows, layers.Dense(1)(pooled))


RECIPE = Neural(
    name="b-resnet",
    source="Drichel et al. 2020, arXiv 2006.11103",
    layers="embedding 128, one residual block of two convolutions 128 of width 4, maxima of 4, flat, dense 1",
    build=build,
    encode=encode_left,
    buckets=(WIDTH,),
    options=FitOptions(rate=1e-3),
)
