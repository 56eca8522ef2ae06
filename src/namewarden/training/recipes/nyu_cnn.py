"""Two stacked convolutions with maxima between, flattened into a dense layer.

Zhang, Zhao, LeCun 2015, Character-level Convolutional Networks for Text Classification (arXiv 1509.01626), as Yu et
al. 2018 cut it down for domain names (IJCNN, Character Level based Detection of DGA Domain Names).
"""

from typing import Any

import keras
from keras import layers

from namewarden.detector.encoding import SYMBOLS, WIDTH
from namewarden.training.recipe import FitOptions, Neural, encode_left

CHANNELS = 128
HIDDEN = 64


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(WIDTH,), dtype="int32")
    found = layers.Embedding(SYMBOLS, CHANNELS)(rows)
    for width in (3, 2):
        found = layers.Conv1D(CHANNELS, width, padding="same", activation="relu")(found)
        found = layers.MaxPooling1D(2, padding="same")(found)
    hidden = layers.Dense(HIDDEN, activation="relu")(layers.Flatten()(found))
    return keras.Model(rows, layers.Dense(1)(hidden))


RECIPE = Neural(
    name="nyu-cnn",
    source="Zhang et al. 2015, arXiv 1509.01626; Yu et al. 2018, IJCNN",
    layers="embedding 128, convolutions 128 of widths 3 and 2, each with maxima of 2, flat, dense 64, dense 1",
    build=build,
    encode=encode_left,
    buckets=(WIDTH,),
    options=FitOptions(rate=1e-3),
)
