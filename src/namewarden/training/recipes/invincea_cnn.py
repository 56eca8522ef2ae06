"""Parallel convolutions of four widths, each summed over the name, and two wide dense layers.

Saxe, Berlin 2017, eXpose (arXiv 1702.08568), as Yu et al. 2018 fit it to domain names (IJCNN, Character Level based
Detection of DGA Domain Names).
"""

from typing import Any

import keras
from keras import layers, ops

from namewarden.detector.encoding import SYMBOLS
from namewarden.training.recipe import FitOptions, Neural, encode_left

EMBEDDING = 128
CHANNELS = 256
WIDTHS = (2, 3, 4, 5)
HIDDEN = 1024


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    letters = layers.Embedding(SYMBOLS, EMBEDDING)(rows)
    summed = []
    for width in WIDTHS:
        found = layers.Conv1D(CHANNELS, width, padding="same", activation="relu")(letters)
        summed.append(layers.Dropout(0.5)(ops.sum(found, axis=1)))
    hidden = layers.Concatenate()(summed)
    for _ in range(2):
        hidden = layers.Dropout(0.5)(layers.Dense(HIDDEN, activation="relu")(hidden))
    return keras.Model(rows, layers.Dense(1)(hidden))


RECIPE = Neural(
    name="invincea-cnn",
    source="Saxe and Berlin 2017, arXiv 1702.08568; Yu et al. 2018, IJCNN",
    layers="embedding 128, convolutions 256 of widths 2-5, each summed, dense 1024 twice, dropout 0.5, dense 1",
    build=build,
    encode=encode_left,
    options=FitOptions(rate=1e-3),
)
