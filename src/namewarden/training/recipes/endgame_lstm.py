"""The first network for generated names: letters, one LSTM, one logit.

Woodbridge, Anderson, Ahuja, Grant 2016, Predicting Domain Generation Algorithms with Long Short-Term Memory
Networks (arXiv 1611.00791).
"""

from typing import Any

import keras
from keras import layers

from namewarden.detector.encoding import SYMBOLS
from namewarden.training.recipe import FitOptions, Neural, encode_left

UNITS = 128


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    read = layers.LSTM(UNITS)(layers.Embedding(SYMBOLS, UNITS)(rows))
    return keras.Model(rows, layers.Dense(1)(layers.Dropout(0.5)(read)))


RECIPE = Neural(
    name="endgame-lstm",
    source="Woodbridge et al. 2016, arXiv 1611.00791",
    layers="embedding 128, LSTM 128, dropout 0.5, dense 1",
    build=build,
    encode=encode_left,
    options=FitOptions(rate=1e-3),
)
