"""One convolution with maxima, read by an LSTM.

Vosoughi, Vijayaraghavan, Roy 2016, Tweet2Vec (SIGIR), as Yu et al. 2018 fit it to domain names (IJCNN, Character
Level based Detection of DGA Domain Names).
"""

from typing import Any

import keras
from keras import layers

from namewarden.detector.encoding import SYMBOLS
from namewarden.training.recipe import FitOptions, Neural, encode_left

CHANNELS = 128
UNITS = 64


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    letters = layers.Embedding(SYMBOLS, CHANNELS)(rows)
    found = layers.Conv1D(CHANNELS, 3, padding="same", activation="relu")(letters)
    read = layers.LSTM(UNITS)(layers.MaxPooling1D(2, padding="same")(found))
    return keras.Model(rows, layers.Dense(1)(read))


RECIPE = Neural(
    name="mit-cnn-lstm",
    source="Vosoughi et al. 2016, SIGIR; Yu et al. 2018, IJCNN",
    layers="embedding 128, convolution 128 of width 3, maxima of 2, LSTM 64, dense 1",
    build=build,
    encode=encode_left,
    options=FitOptions(rate=1e-3),
)
