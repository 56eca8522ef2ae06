"""Train a model, top to bottom: names in, `weights.npz` out; `export.py` makes the packaged model of it.

`python -m namewarden.training.train DATA OUT` may be killed at any time and goes on from its last state. One seed
gives one model on one machine. The weights kept are those best on families that nothing was learned from.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from namewarden.detector.encoding import PADDING, WIDTH, encode
from namewarden.training.data import Corpus, assemble
from namewarden.training.measure import family_mean, thresholds
from namewarden.training.recipes import charcnn, generic

Array = NDArray[Any]
BUCKETS = (16, 24, 40, WIDTH)  # widths of training batches: most labels are short
EVERY = 500  # steps between looks at the unseen families
SMOOTHING = 0.02  # popularity lists hold live malware names: never be sure


class Options(msgspec.Struct, frozen=True):
    """What decides the model beside the data."""

    epochs: int = 4
    batch: int = 512
    rate: float = 1.5e-3
    made_up: int = 450_000  # names of generic generators
    benign: int = 1_000_000  # names at most, so that a small machine can be done in time
    seed: int = 20261121
    every: int = EVERY


class Examples(msgspec.Struct, frozen=True):
    """What is learned from: rows of codes, their lengths, 1 for generated."""

    rows: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    bad: NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m namewarden.training.train", description=__doc__
    )
    parser.add_argument("data", type=Path, help="folder with benign/, malicious/ and split/")
    parser.add_argument("out", type=Path, help="folder for state and weights")
    parser.add_argument("--epochs", type=int, default=Options().epochs)
    parser.add_argument("--made-up", type=int, default=Options().made_up)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    corpus = load_corpus(given.data, given.out)
    train(corpus, given.out, Options(epochs=given.epochs, made_up=given.made_up))


def load_corpus(data: Path, out: Path) -> Corpus:
    """The assembled names, kept beside the state so that a resumed run learns from the same."""
    kept = out / "corpus.msgpack"
    if not kept.exists():
        corpus = assemble(data)
        kept.with_suffix(".part").write_bytes(msgspec.msgpack.encode(corpus))
        kept.with_suffix(".part").replace(kept)
    return msgspec.msgpack.decode(kept.read_bytes(), type=Corpus)


def train(
    corpus: Corpus, out: Path, options: Options, after: Callable[[int], None] = lambda step: None
) -> Path:
    """Learn; returns the file with the best weights. `after` is told each step that is done."""
    examples = learn_from(corpus, options)
    model = charcnn.build(options.seed)
    plan = [(e, b) for e in range(options.epochs) for b in batches(examples, options, e)]
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(options.rate, len(plan)), clipnorm=1.0
        ),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
    )
    model.optimizer.build(model.trainable_variables)
    step, best = resume(model, out / "state.npz")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  unseen {task.fields[unseen]:.3f}"),
    ) as progress:
        bar = progress.add_task("train", total=len(plan), completed=step, loss=0.0, unseen=best)
        while step < len(plan):
            chosen = plan[step][1]
            width = next(w for w in BUCKETS if w >= examples.lengths[chosen].max())
            loss = model.train_on_batch(
                examples.rows[chosen, :width].astype(np.int32), examples.bad[chosen, None]
            )
            step += 1
            progress.update(bar, advance=1, loss=float(loss))
            if step % options.every == 0 or step == len(plan):
                seen = look(model, corpus)
                progress.update(bar, unseen=seen)
                progress.console.print(f"step {step} loss {float(loss):.4f} unseen {seen:.4f}")
                if seen >= best:
                    best = seen
                    save(out / "weights.npz", numbered(model.weights))
                keep(model, out / "state.npz", step, best)
            after(step)
    return out / "weights.npz"


def learn_from(corpus: Corpus, options: Options) -> Examples:
    """Benign, generated and made-up labels of the training side, in an order of their own."""
    dice = np.random.default_rng(options.seed)
    benign = corpus.benign["train"]
    if len(benign) > options.benign:
        benign = [benign[i] for i in np.sort(dice.permutation(len(benign))[: options.benign])]
    known = [label for labels in corpus.known["train"].values() for label in labels]
    held = {label for labels in (*corpus.benign.values(), corpus.single) for label in labels}
    made = generic.names(options.made_up, options.seed, generic.common_words(benign))
    bad = known + [label for label in made if label not in held]
    rows = encode(benign + bad).astype(np.uint8)
    truth = np.repeat(np.array([0.0, 1.0], np.float32), [len(benign), len(bad)])
    return Examples(rows, (rows != PADDING).sum(axis=1), truth)


def batches(examples: Examples, options: Options, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Each name once, batches of about one length, shuffled; the same for the same seed and epoch."""
    dice = np.random.default_rng((options.seed, epoch))
    order = dice.permutation(len(examples.bad))
    cut = []
    for low, high in zip((0, *BUCKETS), BUCKETS, strict=False):
        lengths = examples.lengths[order]
        here = order[(lengths > low) & (lengths <= high)]
        whole = len(here) - len(here) % options.batch if len(here) >= options.batch else len(here)
        cut += [here[i : i + options.batch] for i in range(0, whole, options.batch)]
    return (cut[i] for i in dice.permutation(len(cut)))


def logits(model: "keras.Model", labels: list[str]) -> NDArray[np.float64]:
    """What the model says about labels, short ones on narrow rows; the packaged model says the same on full ones."""
    rows = encode(labels)
    lengths = (rows != PADDING).sum(axis=1)
    said = np.zeros(len(labels))
    for low, high in zip((-1, *BUCKETS), BUCKETS, strict=False):
        here = np.flatnonzero((lengths > low) & (lengths <= high))
        size = 2048 if len(here) > 64 else 64  # few shapes: each is compiled once
        for start in range(0, len(here), size):
            some = here[start : start + size]
            padded = np.zeros((size, high), np.int32)
            padded[: len(some)] = rows[some, :high]
            said[some] = np.asarray(model.predict_on_batch(padded))[: len(some), 0]
    return said


def look(model: "keras.Model", corpus: Corpus, most: int = 50_000) -> float:
    """Mean over unseen families and the three false-positive rates of what is found; the weights are chosen by it."""
    limits = thresholds(logits(model, corpus.benign["calibration"][:most]))
    families = {name: logits(model, found[:1500]) for name, found in corpus.choose.items()}
    return float(np.mean(family_mean(families, limits))) if families else 0.0


def save(path: Path, arrays: dict[str, Array]) -> None:
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    path.with_suffix(".part").replace(path)


def keep(model: "keras.Model", path: Path, step: int, best: float) -> None:
    """All that a killed run needs to go on: weights, dice, the optimizer's slots, how far it was."""
    save(path, {**numbered(_state(model)), "at": np.array([step, best])})


def resume(model: "keras.Model", path: Path) -> tuple[int, float]:
    """Put the kept state into the model; (steps done, best so far)."""
    if not path.exists():
        return 0, 0.0
    kept = np.load(path, allow_pickle=False)
    for i, variable in enumerate(_state(model)):
        variable.assign(kept[str(i)])
    return int(kept["at"][0]), float(kept["at"][1])


def numbered(variables: "list[keras.Variable]") -> dict[str, Array]:
    return {str(i): np.asarray(variable.value) for i, variable in enumerate(variables)}


def _state(model: "keras.Model") -> "list[keras.Variable]":
    return [*model.variables, *model.optimizer.variables]


if __name__ == "__main__":
    main()
