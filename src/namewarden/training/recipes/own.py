"""The product's own network: what letters were met together, remembered in tables, read by two small convolutions.

For every place of a label tables say how often the n-gram that ends there was met in benign labels taught, and how
surprising its last letter is under each group of generators that repeat themselves. No label taught remembers itself: a
benign one's own n-grams count one less, a generated one is read with what was made of other folds, so the tables mean
the same for labels never met; the most popular, taught many times, are the exception. The second
head tells the family; it alone sees the length of the label, which says much about a generator and nothing about
malice.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from namewarden.detector.encoding import PADDING, SYMBOLS, WIDTH, encode
from namewarden.training.generators import has_hyphen
from namewarden.training.grams import COUNTED, HIGHEST, LONGEST, Gram, count
from namewarden.training.groups import FLOOR, FOLDS, GROUPS, MADE, fold, remembered
from namewarden.training.lean import Dense, Parts, lean
from namewarden.training.recipe import Examples, FitOptions, Neural
from namewarden.training.retrieval import VALUES

GRAMS = tuple(table.gram for table in COUNTED)
EMBEDDING = 16
CHANNELS = 48
HIDDEN = 96
HEARD = 128
SCALE = 4.0  # steps of a count by this are what the network reads
SURPRISE = 2.0  # and of the surprise under a group
LEAST_MEAN = 4.0  # and, by so much, of the mean surprise under the group where it is least
BLIND = 0.05  # share of names taught without what is remembered of generated ones: no family is to be all memory
SURE = 6.0  # a benign label this suspicious is taken for a mistake of the lists: it teaches nothing


class Memory(layers.Layer):  # type: ignore[misc]
    """Rows [names, width], side [names, 1] (0 never taught, 1 benign, 2 + fold generated) → [names, width, groups and
    tables]."""

    def build(self, *_: Any) -> None:
        def kept(*shape: int) -> Any:
            return self.add_weight(shape=shape, initializer="zeros", trainable=False)

        self.counted = kept(2, sum(gram.size for gram in GRAMS))
        self.made = kept(1 + FOLDS, sum(gram.size for gram in MADE))
        self.book = kept(VALUES, GROUPS)
        self.dice = keras.random.SeedGenerator(1)

    def call(self, rows: Any, side: Any, training: bool = False) -> Any:
        far = ops.pad(rows, ((0, 0), (LONGEST - 1, 0)))
        width = ops.shape(rows)[1]
        back = [far[:, LONGEST - 1 - k :][:, :width] for k in range(LONGEST)]
        steps = _values(back, GRAMS, self.counted, ops.cast(ops.equal(side, 1), "int32"))
        seen = _read(steps)
        codes = _values(back, MADE, self.made, ops.maximum(side - 1, 0))
        made = ops.min(ops.take(self.book, ops.cast(codes, "int32"), axis=0), axis=2) / SURPRISE
        if training:
            blind = keras.random.uniform((ops.shape(rows)[0], 1, 1), seed=self.dice) < BLIND
            made = ops.where(blind, FLOOR / SURPRISE, made)
        return ops.concatenate([made, seen], axis=-1)


def _read(steps: Any) -> Any:
    """What the network reads of values that tables of counts give: those above HIGHEST are of n-grams not met."""
    return ops.where(steps <= HIGHEST, steps, 0.0) / SCALE


def _values(back: list[Any], grams: Sequence[Gram], octets: Any, at: Any) -> Any:
    """Codes by how far back they stand, and which row of octets is each name's → what the tables give, [names, width,
    tables]."""
    flat, every = ops.reshape(octets, -1), octets.shape[1]
    found, start = [], at * every
    for gram in grams:
        parts = []
        for factors, size in zip(gram.factors().tolist(), gram.parts, strict=True):
            sums = sum(codes * by for codes, by in zip(back, factors, strict=False))
            parts.append(ops.take(flat, start + sums % size))
            start = start + size
        found.append(sum(parts) % VALUES)
    return ops.stack(found, axis=-1)


def build(seed: int, classes: int) -> Any:
    """[rows [names, width], side [names, 1]] → logits [names, 1] and the families' [names, classes]."""
    keras.utils.set_random_seed(seed)
    rows = keras.Input(shape=(None,), dtype="int32")
    side = keras.Input(shape=(1,), dtype="int32")
    mask = ops.expand_dims(ops.cast(ops.not_equal(rows, PADDING), "float32"), -1)
    letters = layers.Embedding(SYMBOLS, EMBEDDING, name="letters")(rows)
    read = layers.Concatenate()([letters, Memory(name="memory")(rows, side)]) * mask
    first = _convolution("first")(read)
    every = layers.Concatenate()([read, first, _convolution("second")(first)])
    length = ops.sum(mask, axis=1)
    mean = ops.sum(every, axis=1) / ops.maximum(length, 1.0)
    most = ops.max(every, axis=1)
    pooled = layers.Concatenate()([most, mean, _least(most), LEAST_MEAN * _least(mean)])
    hidden = layers.Dense(HEARD, activation="relu", name="hidden")(pooled)
    sizes = layers.Embedding(WIDTH, HIDDEN, name="lengths")(ops.cast(length[:, 0], "int32"))
    kin = ops.relu(layers.Dense(HIDDEN, name="kin")(pooled) + sizes)
    heads = [layers.Dense(1, name="logit")(hidden), layers.Dense(classes, name="families")(kin)]
    return keras.Model([rows, side], heads)


def _least(pooled: Any) -> Any:
    """[names, channels] → [names, 1]: under the group that it surprises least."""
    return ops.min(pooled[:, EMBEDDING : EMBEDDING + GROUPS], axis=1, keepdims=True)


def _convolution(name: str) -> Any:
    """Without a bias, so that nothing is heard where nothing is written: padding needs no second mask."""
    return layers.Conv1D(CHANNELS, 3, padding="same", activation="relu", use_bias=False, name=name)


def remember(model: Any, taught: Examples) -> None:
    """Fill the tables. A benign label counts as often as it is taught; made-up names are no memory, only what families
    made."""
    memory = model.get_layer("memory")
    rows = encode(taught.labels).astype(np.uint8)
    benign = rows[taught.bad < 0.5]
    memory.counted.assign(np.concatenate([count(benign, table) for table in COUNTED], axis=1))
    generators, folds = [], []
    for at in range(1, int(taught.family.max()) + 1):
        _, first = np.unique(rows[taught.family == at], axis=0, return_index=True)
        labels = np.flatnonzero(taught.family == at)[first]
        generators.append(rows[labels])
        folds.append(np.array([fold(taught.labels[i]) for i in labels]))
    made = remembered(generators, folds)
    memory.made.assign(made.octets)
    memory.book.assign(made.book.astype(np.float16))


def graph(model: Any, shift: float = 0.0) -> bytes:
    """The packaged network, `shift` added to its logits; the model's weights become what the file can hold of them."""
    bias = model.get_layer("logit").bias
    bias.assign(bias + shift)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable).astype(np.float16).astype(np.float32))
    memory = model.get_layer("memory")
    return lean(
        Parts(
            letters=np.asarray(model.get_layer("letters").embeddings),
            counted=GRAMS,
            made=MADE,
            octets=np.concatenate([np.asarray(memory.counted)[0], np.asarray(memory.made)[0]]),
            steps=np.asarray(_read(np.arange(VALUES, dtype=np.float32))),
            book=np.asarray(memory.book / SURPRISE),
            lengths=np.asarray(model.get_layer("lengths").embeddings),
            **{name: _pooling(_dense(model.get_layer(name))) for name in ("hidden", "kin")},
            **{
                name: _dense(model.get_layer(name))
                for name in ("first", "second", "logit", "families")
            },
        )
    )


def _pooling(dense: Dense) -> Dense:
    """LEAST_MEAN is a factor of the kernel's last row."""
    factors = np.ones((len(dense.kernel), 1), np.float32)
    factors[-1] = LEAST_MEAN
    return Dense(dense.kernel * factors, dense.bias)


def _dense(layer: Any) -> Dense:
    return Dense(np.asarray(layer.kernel), np.asarray(layer.bias) if layer.use_bias else None)


def suspect(options: FitOptions) -> Any:
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


def sides(
    labels: Sequence[str], bad: NDArray[np.float32], family: NDArray[np.int32]
) -> NDArray[np.int32]:
    """What `Memory` is told of names taught. Made-up ones are in no table, but those with a hyphen put in are made of
    one that is."""
    folds = np.fromiter(map(fold, labels), np.int32, len(labels))
    made_of = (family > 0) | has_hyphen(labels)
    return np.where(bad < 0.5, 1, np.where(made_of, 2 + folds, 0)).astype(np.int32)


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
    options=FitOptions(
        epochs=12,
        batch=256,
        rate=1.5e-3,
        smoothing=0.01,
        family_weight=0.5,
        benign_weight=4.0,
        popular=16,
        least=3000,
        even=6.0,
        made_up=300_000,
        made_up_weight=0.25,
        hyphened=8000,
        every=4000,
    ),
)
