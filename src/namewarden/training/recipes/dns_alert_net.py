"""The seed network: a name as a square picture of its code points, three small convolutions, 1,913 parameters.

The layers are those of the table in the seed document (mlbridge, DNS alert model), activations as there; its
sigmoid is left to the loss, so that the last layer says log-odds.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from namewarden.training.recipe import FitOptions, Neural

SIDE = 16
LENGTH = SIDE * SIDE


def encode(names: Sequence[str], width: int = LENGTH) -> NDArray[np.int32]:
    """Code points as they are, zeros behind; what is longer is cut."""
    rows = b"".join(name.encode("latin-1", "replace")[:width].ljust(width, b"\0") for name in names)
    return np.frombuffer(rows, np.uint8).reshape(len(names), width).astype(np.int32)


def build(seed: int, classes: int = 0) -> Any:
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(LENGTH,), dtype="int32")
    picture = layers.Reshape((SIDE, SIDE, 1))(keras.ops.cast(rows, "float32"))
    found = layers.Conv2D(16, 2, activation="relu")(picture)
    found = layers.Conv2D(16, 2, activation="relu")(layers.MaxPooling2D(2)(found))
    found = layers.Conv2D(8, 2, activation="relu")(layers.MaxPooling2D(2)(found))
    hidden = layers.Dense(8, activation="relu")(layers.Flatten()(found))
    return keras.Model(rows, layers.Dense(1)(hidden))


RECIPE = Neural(
    name="dns-alert-net",
    source="mlbridge, DNS alert model, 2020 (the seed document)",
    layers="16x16 code points, convolutions 2x2 of 16, 16, 8 with maxima of 2x2 between, dense 8, dense 1",
    build=build,
    encode=encode,
    buckets=(LENGTH,),
    options=FitOptions(rate=1e-3),
)
