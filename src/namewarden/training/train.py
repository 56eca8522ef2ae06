"""Train a network, top to bottom: names and a recipe in, `weights.npz` out; `export.py` makes the packaged model of it.

`python -m namewarden.training.train DATA OUT` may be killed at any time and goes on from its last state. One seed
gives one model on one machine. The last weights are written when all is learned; what is found of families that
nothing was learned from is said on the way, to choose recipes by.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from namewarden.detector.encoding import MARGIN
from namewarden.training import generators
from namewarden.training.data import HELD, Corpus, generator
from namewarden.training.kept import DATA, claim, load, load_corpus, save
from namewarden.training.measure import family_mean, sample, thresholds
from namewarden.training.recipe import Array, Examples, FitOptions, Judge, Neural
from namewarden.training.recipes import find, names

DEVICES = ("auto", "cpu", "gpu")
UNKNOWN = 0  # the family of a name that no known generator made
REPEATED = 40
NO_FAMILY = -1  # benign: the second head is not asked


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m namewarden.training.train", description=__doc__
    )
    parser.add_argument("data", type=Path, help=DATA)
    parser.add_argument("out", type=Path, help="folder for state and weights")
    parser.add_argument("--recipe", default="own", help=f"one of {', '.join(names())}")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--made-up", type=int)
    parser.add_argument("--examples", type=int, help="names at most")
    parser.add_argument(
        "--all-families", action="store_true", help="keep no family away to measure by"
    )
    given = parser.parse_args()
    recipe = find(given.recipe)
    if not isinstance(recipe, Neural):
        raise SystemExit(f"{recipe.name} is no network: python -m namewarden.training.fit fits it")
    choose_device(given.device)
    options = changed(recipe.options, given)
    held: frozenset[str] = frozenset() if given.all_families else HELD
    train(load_corpus(given.data, given.out, held), recipe, given.out, options)


def changed(options: FitOptions, given: argparse.Namespace) -> FitOptions:
    """The recipe's own options but for those that the command line names."""
    asked = {name: getattr(given, name, None) for name in options.__struct_fields__}
    return msgspec.structs.replace(options, **{k: v for k, v in asked.items() if v is not None})


def choose_device(device: str) -> None:
    """Before anything is computed. JAX takes a GPU of itself where it has one: `gpu` makes sure of that."""
    import jax

    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")  # type: ignore[no-untyped-call]
    if device == "gpu":
        try:
            jax.devices("gpu")
        except RuntimeError as error:
            raise SystemExit(f"JAX has no GPU here (it needs jax[cuda12]): {error}") from error


def train(
    corpus: Corpus,
    recipe: Neural,
    out: Path,
    options: FitOptions,
    after: Callable[[int], None] = lambda step: None,
) -> Path:
    """Learn; returns the file with the weights to keep. `after` is told each step that is done."""
    claim(out, recipe, options, corpus)
    weights = out / "weights.npz"
    if weights.exists():
        return weights
    examples = learn_from(corpus, options)
    model = recipe.build(options.seed, len(classes(corpus)))
    plan = [b for e in range(options.epochs) for b in batches(examples, recipe, options, e)]
    if recipe.remember:
        recipe.remember(model, examples)
    prepare(model, recipe, options, len(plan))
    step = resume(model, out / "state.npz")
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  unseen {task.fields[unseen]:.3f}"),
    ) as progress:
        bar = progress.add_task(recipe.name, total=len(plan), completed=step, loss=0.0, unseen=0.0)
        while step < len(plan):
            loss = learn(model, recipe, examples, plan[step])
            step += 1
            progress.update(bar, advance=1, loss=loss)
            if step % options.every == 0 or step == len(plan):
                seen = look(judge(recipe, model), corpus)
                progress.update(bar, unseen=seen)
                progress.console.print(f"step {step} loss {loss:.4f} unseen {seen:.4f}")
                keep(model, out / "state.npz", step)
            after(step)
    save(weights, numbered(model.weights))
    return weights


def taught(corpus: Corpus, recipe: Neural, out: Path, options: FitOptions) -> "keras.Model":
    """As `train`; the network with the weights kept."""
    return load_weights(recipe, train(corpus, recipe, out, options), len(classes(corpus)))


def classes(corpus: Corpus) -> tuple[str, ...]:
    """The classes of the second head: "unknown", then the generators learned from."""
    return ("unknown", *sorted({generator(family) for family in corpus.known["train"]}))


def learn_from(corpus: Corpus, options: FitOptions) -> Examples:
    """Benign, generated and made-up labels of the training side."""
    dice = np.random.default_rng(options.seed)
    benign = corpus.benign["train"]
    if len(benign) > options.benign:
        benign = [benign[i] for i in np.sort(dice.permutation(len(benign))[: options.benign])]
    popular = set(corpus.popular).intersection(benign)
    benign = [*benign, *sorted(popular) * (options.popular - 1)]
    known = _by_generator(corpus.known["train"], options.least)
    words = [] if known else generators.common_words(benign)
    made = generators.names(options.made_up, options.seed, words)
    in_all = [label for labels in known for label in labels]
    made += generators.hyphened(in_all, options.hyphened, options.seed)
    held = held_apart(corpus)
    groups = [benign, *known, [label for label in made if label not in held]]
    family = np.repeat([NO_FAMILY, *range(1, len(groups) - 1), UNKNOWN], [len(g) for g in groups])
    labels = [label for group in groups for label in group]
    kept = np.arange(len(labels))
    if 0 < options.examples < len(labels):
        kept = np.sort(dice.permutation(len(labels))[: options.examples])
    labels, family = [labels[i] for i in kept], family[kept].astype(np.int32)
    weight = _weights(labels, family, corpus.known["train"], options)
    return Examples(labels, (family != NO_FAMILY).astype(np.float32), family, weight)


def _weights(
    labels: Sequence[str],
    family: NDArray[np.int32],
    families: Mapping[str, list[str]],
    options: FitOptions,
) -> NDArray[np.float32]:
    """What each label weighs; made-up ones as much as others where all families are made up. Those with a hyphen put in
    are none: a malware's own is under them."""
    weight = np.ones(len(labels), np.float32)
    if not generators.NAMES.issuperset(families):
        weight[(family == UNKNOWN) & ~generators.has_hyphen(labels)] = options.made_up_weight
    if options.even:
        _make_even(weight, labels, families, options.even)
    return weight


def _make_even(
    weight: NDArray[np.float32],
    labels: Sequence[str],
    families: Mapping[str, list[str]],
    most: float,
) -> None:
    """Give all families the same weight, as far as `most` times that of a name goes: a rare family is missed like any
    other (Neyman and Pearson: what is best for the mean over families is the odds against their even mixture)."""
    owner = {label: at for at, name in enumerate(sorted(families)) for label in families[name]}
    of = np.fromiter((owner.get(label, -1) for label in labels), np.int64, len(labels))
    known = of >= 0
    counts = np.bincount(of[known])
    each = known.sum() / max(np.count_nonzero(counts), 1)
    weight[known] *= np.minimum(each / counts[of[known]], most)


def held_apart(corpus: Corpus) -> set[str]:
    """Labels that no made-up generator may teach as generated, or teach at all."""
    families = [
        *(labels for place in corpus.known.values() for labels in place.values()),
        *corpus.choose.values(),
        *corpus.unseen.values(),
        *corpus.fed.values(),
    ]
    return {
        label for labels in (*corpus.benign.values(), corpus.single, *families) for label in labels
    }


def _by_generator(families: Mapping[str, list[str]], least: int) -> list[list[str]]:
    """The labels of each class but "unknown", in the order of `classes`; small families are repeated."""
    found: dict[str, list[str]] = {}
    for family in sorted(families):
        labels = families[family]
        times = max(1, min(REPEATED, least // len(labels)))
        found.setdefault(generator(family), []).extend(labels * times)
    return [found[name] for name in sorted(found)]


def widths_of(recipe: Neural, labels: Sequence[str]) -> NDArray[np.int64]:
    """For each label the narrowest row of the recipe that holds it and MARGIN of padding; the last holds all."""
    lengths = np.fromiter(map(len, labels), np.int64, len(labels)) + MARGIN
    places = np.searchsorted(recipe.buckets, lengths)
    return np.asarray(recipe.buckets)[np.minimum(places, len(recipe.buckets) - 1)]


def batches(
    examples: Examples, recipe: Neural, options: FitOptions, epoch: int
) -> Iterator[NDArray[np.int64]]:
    """Each name once, but for a part of a batch of each width; batches of about one length, shuffled; the same for the
    same seed and epoch."""
    dice = np.random.default_rng((options.seed, epoch))
    order = dice.permutation(len(examples.labels))
    widths = widths_of(recipe, examples.labels)[order]
    cut = []
    for width in recipe.buckets:
        here = order[widths == width]
        whole = len(here) - len(here) % options.batch if len(here) >= options.batch else len(here)
        cut += [here[i : i + options.batch] for i in range(0, whole, options.batch)]
    return (cut[i] for i in dice.permutation(len(cut)))


def prepare(model: "keras.Model", recipe: Neural, options: FitOptions, steps: int) -> None:
    """Optimizer and losses; the optimizer's slots exist afterwards, so that a kept state fits in."""
    if recipe.loss:
        loss = recipe.loss(options)
    else:
        loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=options.smoothing)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(options.rate, steps), clipnorm=1.0
        ),
        loss=[loss, recipe.family_loss()] if recipe.family_loss else loss,
        loss_weights=[1.0, options.family_weight] if recipe.family_loss else None,
    )
    model.optimizer.build(model.trainable_variables)


def learn(
    model: "keras.Model", recipe: Neural, examples: Examples, chosen: NDArray[np.int64]
) -> float:
    """One step on the chosen names; the second head learns from the generated ones only."""
    labels = [examples.labels[i] for i in chosen]
    rows: Any = recipe.encode(labels, int(widths_of(recipe, labels).max()))
    bad, family = examples.bad[chosen, None], examples.family[chosen]
    weight = examples.weight[chosen]
    if recipe.sides:
        rows = [rows, recipe.sides(labels, bad[:, 0], family)[:, None]]
    if recipe.family_loss is None:
        return _first(model.train_on_batch(rows, bad, sample_weight=weight))
    asked = (family != NO_FAMILY).astype(np.float32)
    truth = [bad, np.maximum(family, 0)]
    return _first(model.train_on_batch(rows, truth, sample_weight=[weight, asked]))


def _first(losses: Any) -> float:
    """Keras says one number, or the whole loss and then its parts."""
    return float(losses[0] if isinstance(losses, list) else losses)


def judge(recipe: Neural, model: "keras.Model") -> Judge:
    """What the model says about labels, short ones on narrow rows."""

    def logits_of(labels: Sequence[str]) -> NDArray[np.float64]:
        widths = widths_of(recipe, labels)
        found = np.zeros(len(labels))
        for width in recipe.buckets:
            here = np.flatnonzero(widths == width)
            size = 2048 if len(here) > 64 else 64  # few shapes: each is compiled once
            for start in range(0, len(here), size):
                some = here[start : start + size]
                rows = recipe.encode([labels[i] for i in some], width)
                padded = np.concatenate([rows, np.zeros((size - len(rows), width), np.int32)])
                never = np.zeros((size, 1), np.int32)
                outputs = model.predict_on_batch([padded, never] if recipe.sides else padded)
                logits = outputs[0] if isinstance(outputs, list) else outputs
                found[some] = np.asarray(logits)[: len(some), 0]
        return found

    return logits_of


def look(judge: Judge, corpus: Corpus, most: int = 50_000) -> float:
    """Mean over unseen families and the three false-positive rates of what is found; recipes are chosen by it."""
    if not corpus.choose:
        return 0.0
    limits = thresholds(judge(sample(corpus.benign["calibration"], most)))
    families = {name: judge(sample(found, 1500)) for name, found in corpus.choose.items()}
    return float(np.mean(family_mean(families, limits)))


def load_weights(recipe: Neural, path: Path, classes: int) -> "keras.Model":
    """The recipe's network as it was kept."""
    model = recipe.build(0, classes)
    kept = load(path)
    model.set_weights([kept[str(i)] for i in range(len(kept))])
    return model


def keep(model: "keras.Model", path: Path, step: int) -> None:
    """All that a killed run needs to go on: weights, dice, the optimizer's slots, how far it was."""
    save(path, {**numbered(_state(model)), "at": np.array([step])})


def resume(model: "keras.Model", path: Path) -> int:
    """Put the kept state into the model; the steps done."""
    if not path.exists():
        return 0
    kept = load(path)
    for i, variable in enumerate(_state(model)):
        variable.assign(kept[str(i)])
    return int(kept["at"][0])


def numbered(variables: "list[keras.Variable]") -> dict[str, Array]:
    return {str(i): np.asarray(variable.value) for i, variable in enumerate(variables)}


def _state(model: "keras.Model") -> "list[keras.Variable]":
    return [*model.variables, *model.optimizer.variables]


if __name__ == "__main__":
    main()
