"""Leave one generator out: families whose generator nothing was learned from, each of them once.

The generators are dealt into K folds; a recipe is fitted K times, each time without one fold's families, and finds what
it can of them. Every fold's result is kept in a file, so that a run that ended goes on with the next.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from namewarden.evaluation.detection import LEAST, WORDS
from namewarden.evaluation.intervals import Spread, mean_of
from namewarden.evaluation.page import COLUMNS, NOT_MEASURED, between, percent, table
from namewarden.training.data import Corpus, Side, generator, side
from namewarden.training.measure import rates, sample, thresholds
from namewarden.training.recipe import Judge

FOLDS = 5
NOT_THESE = "fitted anew without each fold's families; not the weights that the rest is about"
MOST = 2000
Fit = Callable[[Corpus, int], Judge]  # the names without a fold's families, the fold


class LeftOutFamily(Struct, frozen=True):
    """A family that nothing was learned from."""

    generator: str
    names: int
    found: list[float]


class Fold(Struct, frozen=True):
    number: int
    of: int
    families: dict[str, LeftOutFamily]
    title: str = "the recipe"  # what was fitted, on which terms
    made_of: str = ""  # a digest of names and options: other ones make another fold


def folds(families: Sequence[str], count: int) -> list[list[str]]:
    """Families by fold: generators in the order of their hash, dealt round; one generator is in one fold."""
    order = sorted(
        {generator(f) for f in families}, key=lambda name: sha256(name.encode()).hexdigest()
    )
    place = {name: at % count for at, name in enumerate(order)}
    return [sorted(f for f in families if place[generator(f)] == fold) for fold in range(count)]


def families_of(corpus: Corpus) -> dict[str, list[str]]:
    """Every family with all its labels, whichever side they are on."""
    found: dict[str, list[str]] = {}
    for group in (*corpus.known.values(), corpus.choose, corpus.unseen):
        for family, labels in group.items():
            found.setdefault(family, []).extend(labels)
    return found


def hold(corpus: Corpus, held: Sequence[str]) -> Corpus:
    """The same names, where nothing can be learned from these families but from all others; nothing is chosen by."""
    whole = families_of(corpus)
    known: dict[Side, dict[str, list[str]]] = {
        each: {family: labels for family, labels in found.items() if family not in held}
        for each, found in corpus.known.items()
    }
    for group in (corpus.choose, corpus.unseen):
        for family, labels in group.items():
            if family not in held:
                _divide(known, family, labels)
    return msgspec.structs.replace(
        corpus, known=known, choose={}, unseen={family: sorted(whole[family]) for family in held}
    )


def _divide(known: dict[Side, dict[str, list[str]]], family: str, labels: Sequence[str]) -> None:
    for label in labels:
        known[side(label)].setdefault(family, []).append(label)


def run(
    corpus: Corpus, fit: Fit, kept: Path, count: int, title: str, made_of: str = ""
) -> list[Fold]:
    """Fit and measure every fold that is not kept yet, or was made of something else."""
    same = (count, made_of)
    done = {fold.number: fold for fold in load(kept) if (fold.of, fold.made_of) == same}
    for number, held in enumerate(folds(sorted(families_of(corpus)), count)):
        if number not in done and held:
            found = _measure(hold(corpus, held), held, fit, number)
            done[number] = Fold(number, count, found, title, made_of)
            _save(kept, [done[at] for at in sorted(done)])
    return [done[at] for at in sorted(done)]


def load(kept: Path) -> list[Fold]:
    return msgspec.json.decode(kept.read_bytes(), type=list[Fold]) if kept.is_file() else []


def _save(kept: Path, done: Sequence[Fold]) -> None:
    part = kept.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(done))
    part.replace(kept)


def _measure(
    corpus: Corpus, held: Sequence[str], fit: Fit, number: int
) -> dict[str, LeftOutFamily]:
    judge = fit(corpus, number)
    limits = thresholds(judge(corpus.benign["calibration"]))
    found = {}
    for family in held:
        labels = corpus.unseen[family]
        logits = judge(sample(labels, MOST))
        found[family] = LeftOutFamily(generator(family), len(labels), rates(logits, limits))
    return found


def means(done: Sequence[Fold]) -> dict[str, list[Spread]]:
    """Over generators (of one, the mean of its families): all, and those that make names of words apart."""
    every = {
        family: held
        for fold in done
        for family, held in fold.families.items()
        if held.names >= LEAST
    }
    groups = {
        "all generators": every,
        "of characters": {family: held for family, held in every.items() if family not in WORDS},
        "of words": {family: held for family, held in every.items() if family in WORDS},
    }
    return {name: mean_of(_by_generator(found)) for name, found in groups.items() if found}


def _by_generator(
    found: Mapping[str, LeftOutFamily],
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    rows: dict[str, list[list[float]]] = {}
    for held in found.values():
        rows.setdefault(held.generator, []).append(held.found)
    return np.array([np.mean(each, axis=0) for each in rows.values()])


def show(done: Sequence[Fold]) -> str:
    if not done:
        return f"Leave-one-generator-out: {NOT_MEASURED} (`namewarden evaluate --recipe NAME --left-out`).\n"
    title = done[0].title
    rows = [[name, *map(_spread, found)] for name, found in means(done).items()]
    every = {family: held for fold in done for family, held in fold.families.items()}
    each = [
        [family, held.generator, *map(percent, held.found)]
        for family, held in sorted(every.items())
    ]
    head = f"{len(done)} of {done[0].of} folds; mean (95 %, by generator)"
    return "\n".join(
        [
            f"{title[:1].upper()}{title[1:]}, {NOT_THESE}.\n",
            table([head, *COLUMNS], rows),
            table(["family left out", "generator", *COLUMNS], each),
        ]
    )


def _spread(found: Spread) -> str:
    return f"{percent(found.mean)} ({between(found.low, found.high)})"
