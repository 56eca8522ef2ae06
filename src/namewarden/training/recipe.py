"""What a recipe says of itself: its source, how it reads a label, how it is built, how long it learns.

A file in `recipes/` offers one `RECIPE`; `fit.py` turns any of them into a `Judge`, so that all are measured alike.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, WIDTH, encode

Array = NDArray[Any]
# Labels → log-odds or the like, float64; higher is more malicious.
Judge = Callable[[Sequence[str]], NDArray[np.float64]]
# Labels and a width → rows of codes, one row a label; 0 is padding. Every label given is shorter than the width.
Encode = Callable[[Sequence[str], int], NDArray[np.int32]]
# Labels taught, 1 for generated, the class of the family → on which side each was taught.
Sides = Callable[[Sequence[str], NDArray[np.float32], NDArray[np.int32]], NDArray[np.int32]]
Tell = Callable[[str, float], None]  # what is being done, and what share of it is done

BUCKETS = (
    16,
    24,
    40,
    WIDTH,
)  # most labels are short; a label always gets the narrowest that holds it


class FitOptions(Struct, frozen=True):
    """What decides the model beside recipe and data."""

    epochs: int = 4
    batch: int = 512
    rate: float = 1.5e-3
    smoothing: float = 0.02  # popularity lists hold live malware names: never be sure
    family_weight: float = 0.25  # of the loss of the second head, where there is one
    benign_weight: float = 1.0  # of a benign name's loss, where the recipe's loss heeds it
    popular: int = 1  # times that the most popular names are taught
    least: int = 0  # times that a family is taught at least: names of small ones are repeated
    even: float = 0.0  # all families weigh the same, a name of a small one this many times at most; 0: all names do
    made_up: int = 450_000  # names of made-up generators
    made_up_weight: float = 1.0  # of the loss of a name that no malware made
    hyphened: int = 0  # generated names with a hyphen put in
    benign: int = 1_000_000  # names at most, so that a small machine can be done in time
    examples: int = 0  # names of all kinds at most, drawn evenly; 0: all
    seed: int = 20261121
    every: int = 500  # steps between looks at the unseen families


def bounded(options: FitOptions, examples: int, epochs: int) -> FitOptions:
    """The recipe's own options but for these; zeros are its own."""
    return replace(options, examples=examples or options.examples, epochs=epochs or options.epochs)


class Examples(Struct, frozen=True):
    """What is learned from: labels, 1 for generated, the class of the family for the second head, and what the first
    head's loss weighs."""

    labels: list[str]
    bad: NDArray[np.float32]
    family: NDArray[np.int32]
    weight: NDArray[np.float32]


class Recipe(Struct, frozen=True, kw_only=True):
    """What all recipes have."""

    name: str
    source: str  # the paper or document its layers are from
    layers: str  # what it is made of, in a line
    options: FitOptions = FitOptions()


class Neural(Recipe, frozen=True, kw_only=True):
    """A network of Keras, taught by `train.py`."""

    # (seed, classes) → keras.Model: rows [names, width] → logits [names, 1]; with a second output, it is the
    # families' logits [names, classes], where class 0 is "unknown".
    build: Callable[[int, int], Any]
    encode: Encode = encode
    buckets: tuple[int, ...] = BUCKETS  # widths of its rows, rising
    family_loss: Callable[[], Any] | None = (
        None  # () → keras loss of the second output; None: it has one output
    )
    loss: Callable[[FitOptions], Any] | None = None  # of the first output; None: log loss
    # A network with a memory has a second input, [names, 1]: on which side a row itself was taught, 0 for never. The
    # memory is filled before all else.
    remember: Callable[[Any, Examples], None] | None = None
    sides: Sides | None = None
    # Its ONNX network, this much added to its logits; None: it is measured, never packaged.
    graph: Callable[[Any, float], bytes] | None = None


class Featured(Recipe, frozen=True, kw_only=True):
    """Features and scikit-learn: what is learned is a few arrays, no pickle is written or read."""

    fit: Callable[[Sequence[str], NDArray[np.float32], int, Tell], dict[str, Array]]
    judge: Callable[[Mapping[str, Array]], Judge]


def encode_left(labels: Sequence[str], width: int = WIDTH) -> NDArray[np.int32]:
    """As `encode`, with the padding before the label: how the published networks are fed."""
    rows = encode(labels, width)
    sizes = (rows != PADDING).sum(axis=1)
    places = (np.arange(width) + sizes[:, None]) % width
    return np.take_along_axis(rows, places, axis=1)
