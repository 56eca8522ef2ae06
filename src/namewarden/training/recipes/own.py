"""The product's own network: what letters were met together, remembered in tables, read by two small convolutions.

For every place of a label tables say how often the n-gram that ends there was met in benign labels taught, and which
groups of generators make it again and again. A label taught does not remember itself: its own n-grams count one less,
so the tables mean the same for labels never met; the most popular, taught many times, are the exception. The second
head tells the family; it alone sees the length of the label, which says much about a generator and nothing about
malice.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, SYMBOLS, WIDTH, encode
from namewarden.training.grams import (
    COUNTED,
    GROUPS,
    HALVES,
    HIGHEST,
    LONGEST,
    MADE,
    Gram,
    count,
    group_counts,
    groups,
    packed,
    sharers,
)
from namewarden.training.lean import Dense, Parts, lean
from namewarden.training.recipe import Examples, Neural, Options

EMBEDDING = 16
CHANNELS = 48
HIDDEN = 96
HEARD = 128
SCALE = 4.0  # steps of a count by this are what the network reads
BLIND = 0.15  # share of names taught without what is remembered of generated ones: no family is to be all memory
SURE = 6.0  # a benign label this suspicious is taken for a mistake of the lists: it teaches nothing


class Memory(layers.Layer):  # type: ignore[misc]
    """Rows [names, width], side [names, 1] (0 never taught, 1 benign, 1 + class generated) → [names, width, groups and
    tables]."""

    def __init__(self, classes: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.classes = classes

    def build(self, *_: Any) -> None:
        def kept(*shape: int) -> Any:
            return self.add_weight(shape=shape, initializer="zeros", trainable=False)

        self.counts = [kept(table.gram.size, HALVES) for table in COUNTED]
        self.made = [kept(table.gram.size, GROUPS) for table in MADE]
        self.own = kept(
            1 + self.classes, GROUPS
        )  # by side: what of the groups' counts is the label's own
        self.dice = keras.random.SeedGenerator(1)

    def call(self, rows: Any, side: Any, training: bool = False) -> Any:
        far = ops.pad(rows, ((0, 0), (LONGEST - 1, 0)))
        width = ops.shape(rows)[1]
        back = [far[:, LONGEST - 1 - k :][:, :width] for k in range(LONGEST)]
        seen = ops.stack([self._steps(back, side, at) for at in range(len(COUNTED))], axis=-1)
        made = sum(self._made(back, side, at) for at in range(len(MADE)))
        if training:
            blind = keras.random.uniform((ops.shape(rows)[0], 1, 1), seed=self.dice) < BLIND
            made = ops.where(blind, 0.0, made)
        return ops.concatenate([made, seen], axis=-1)

    def _steps(self, back: list[Any], side: Any, at: int) -> Any:
        """As `grams.steps`, the label's own count taken away."""
        table = COUNTED[at]
        at_place = HALVES * place(back, table.gram) + half(back, table.gram)
        mine = ops.cast(ops.equal(side, 1), "float32")
        counts = ops.take(ops.reshape(self.counts[at], -1), at_place) - mine
        octaves = ops.floor(ops.log2(ops.maximum(counts, 1e-3) / table.least) + 1e-4)
        return ops.where(counts >= table.least, ops.minimum(1 + octaves, HIGHEST), 0.0) / SCALE

    def _made(self, back: list[Any], side: Any, at: int) -> Any:
        """As `grams.sharers`, the label's own count taken away."""
        counts = ops.take(self.made[at], place(back, MADE[at].gram), axis=0)
        return ops.cast(counts - ops.take(self.own, side, axis=0) >= MADE[at].least, "float32")


def place(back: list[Any], gram: Gram) -> Any:
    """Codes by how far back they stand → the n-gram's place in its table."""
    factors = gram.factors().tolist()
    return sum(codes * by for codes, by in zip(back, factors, strict=False)) % gram.size


def half(back: list[Any], gram: Gram) -> Any:
    """Which half of the octet there is the n-gram's."""
    return sum(back[: gram.letters]) % HALVES


def build(seed: int, classes: int) -> Any:
    """[rows [names, width], side [names, 1]] → logits [names, 1] and the families' [names, classes]."""
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    side = keras.Input(shape=(1,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(rows, PADDING), "float32"), -1)
    letters = layers.Embedding(SYMBOLS, EMBEDDING, name="letters")(rows)
    read = layers.Concatenate()([letters, Memory(classes, name="memory")(rows, side)]) * mask
    first = _convolution("first")(read)
    every = layers.Concatenate()([read, first, _convolution("second")(first)])
    length = ops.sum(mask, axis=1)
    mean = ops.sum(every, axis=1) / ops.maximum(length, 1.0)
    pooled = layers.Concatenate()([ops.max(every, axis=1), mean])
    hidden = layers.Dense(HEARD, activation="relu", name="hidden")(pooled)
    sizes = layers.Embedding(WIDTH, HIDDEN, name="lengths")(ops.cast(length[:, 0], "int32"))
    kin = ops.relu(layers.Dense(HIDDEN, name="kin")(pooled) + sizes)
    heads = [layers.Dense(1, name="logit")(hidden), layers.Dense(classes, name="families")(kin)]
    return keras.Model([rows, side], heads)


def _convolution(name: str) -> Any:
    """Without a bias, so that nothing is heard where nothing is written: padding needs no second mask."""
    return layers.Conv1D(CHANNELS, 3, padding="same", activation="relu", use_bias=False, name=name)


def remember(model: Any, taught: Examples) -> None:
    """Fill the tables. A benign label counts as often as it is taught; made-up names are no memory, only what families
    made."""
    memory = model.get_layer("memory")
    rows = encode(taught.labels).astype(np.uint8)
    benign = rows[taught.bad < 0.5]
    for table, counts in zip(COUNTED, memory.counts, strict=True):
        counts.assign(count(benign, table))
    generators = [np.unique(rows[taught.family == at], axis=0) for at in range(1, memory.classes)]
    group = groups(generators)
    for table, made in zip(MADE, memory.made, strict=True):
        made.assign(group_counts(generators, group, table.gram))
    memory.own.assign(np.eye(GROUPS + 1)[[-1, -1, *group]][:, :GROUPS])


def graph(model: Any, shift: float = 0.0) -> bytes:
    """The packaged network, `shift` added to its logits; the model's weights become what the file can hold of them."""
    bias = model.get_layer("logit").bias
    bias.assign(bias + shift)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable).astype(np.float16).astype(np.float32))
    memory = model.get_layer("memory")
    counts, made = zip(memory.counts, COUNTED, strict=True), zip(memory.made, MADE, strict=True)
    return lean(
        Parts(
            letters=np.asarray(model.get_layer("letters").embeddings),
            grams=tuple(table.gram for table in (*COUNTED, *MADE)),
            counts=tuple(packed(np.asarray(found), table.least) for found, table in counts),
            made=tuple(sharers(np.asarray(found), table.least) for found, table in made),
            unit=1.0 / SCALE,
            lengths=np.asarray(model.get_layer("lengths").embeddings),
            **{name: _dense(model.get_layer(name)) for name in DENSE},
        )
    )


DENSE = ("first", "second", "hidden", "logit", "kin", "families")


def _dense(layer: Any) -> Dense:
    return Dense(np.asarray(layer.kernel), np.asarray(layer.bias) if layer.use_bias else None)


def suspect(options: Options) -> Any:
    """Log loss; benign labels weigh more, for false alarms are dear, and those beyond belief not at all."""

    def loss(truth: Any, logits: Any) -> Any:
        benign = 1.0 - truth
        beyond = ops.logical_and(benign > 0.5, logits > SURE)
        logits = ops.where(beyond, ops.stop_gradient(logits), logits)
        aim = truth * (1.0 - options.smoothing) + benign * options.smoothing
        weight = 1.0 + benign * (options.benign_weight - 1.0)
        return (ops.softplus(logits) - aim * logits) * weight

    return loss


def kin_loss() -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def sides(bad: NDArray[np.float32], family: NDArray[np.int32]) -> NDArray[np.int32]:
    """What `Memory` is told of names taught: made-up ones are in no table."""
    return np.where(bad < 0.5, 1, np.where(family > 0, 1 + family, 0)).astype(np.int32)


RECIPE = Neural(
    name="own",
    source="own; n-grams counted as in Elastic's and FANCI's features, read by convolutions as in Kim 2014",
    layers="n-gram tables, embedding 16, convolutions 48 and 48 of width 3, maximum and mean, dense 128; families",
    build=build,
    family_loss=kin_loss,
    loss=suspect,
    remember=remember,
    sides=sides,
    graph=graph,
    options=Options(
        epochs=8,
        batch=1024,
        rate=2e-3,
        smoothing=0.01,
        family_weight=0.5,
        benign_weight=4.0,
        popular=16,
        least=3000,
        made_up=300_000,
        hyphened=8000,
    ),
)
