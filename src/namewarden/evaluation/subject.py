"""What is measured: a model as the resolver loads it, or a recipe fitted on the same names. All are a `Judge`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.bands import settle_all
from namewarden.detector.families import split
from namewarden.detector.model import PACKAGED, Model
from namewarden.evaluation.families import Guess
from namewarden.evaluation.network import Layer, layers_of, layers_of_keras
from namewarden.training.data import Corpus, generator
from namewarden.training.measure import Logits, sample, temperature
from namewarden.training.recipe import FitOptions, Judge, Neural, Recipe

LOADED = ("manifest.json", "model.onnx")
TEMPERED = 20_000  # names of each side that set a temperature
BY_LABEL = 0.25  # how much of the family's own logit is in the sureness: docs/detector.md, Reading


class Subject(Struct, frozen=True):
    """One model under measurement, and what there is of it beside its judgement."""

    name: str  # of its files
    title: str
    about: str
    judge: Judge  # calibrated
    score: Callable[[Sequence[str]], object]  # as it is called in service; what speed times
    limits: list[float] = []  # its own thresholds; none: they are set here
    learned: tuple[str, ...] = ()  # families
    p_values: Callable[[Sequence[str]], NDArray[np.float64]] | None = None
    layers: list[Layer] = []
    files: dict[str, int] = {}
    folder: Path = PACKAGED
    classes: tuple[str, ...] = ()  # what it calls families, "unknown" first
    guess: Guess | None = None  # None: it knows no families
    model: Model | None = None

    def called(self, family: str) -> str:
        """What it calls a family: those of one generator may be one to it."""
        return family if family in self.classes else generator(family)


def of_model(folder: Path | None = None) -> Subject:
    """The packaged model, or another folder's. ModelError."""
    place = folder or PACKAGED
    model = Model(place)
    manifest, limits = model.manifest, model.thresholds
    return Subject(
        name="packaged" if folder is None else f"model-{model.model}",
        title=f"model {model.model}" + (", as packaged" if folder is None else ""),
        about=f"Made {manifest.made}, {(place / 'model.onnx').stat().st_size:,} bytes of ONNX.",
        judge=_judge_of(model),
        score=model.score_batch,
        limits=[limits.one_in_100, limits.one_in_1000, limits.one_in_10000],
        learned=manifest.families,
        p_values=lambda labels: np.array([score.p_value for score in model.score_batch(labels)]),
        layers=layers_of((place / "model.onnx").read_bytes()),
        files={name: (place / name).stat().st_size for name in LOADED},
        guess=_guess_of(model),
        classes=manifest.family_classes,
        folder=place,
        model=model,
    )


def _judge_of(model: Model) -> Judge:
    def judge(labels: Sequence[str]) -> Logits:
        return settle_all(model.raw(labels), model.manifest.temperature)

    return judge


def _guess_of(model: Model) -> Guess | None:
    """The family the model names, of labels with or without their suffix; how sure it is to know it; what names it."""
    if len(model.manifest.family_classes) < 2:
        return None
    judge = _judge_of(model)

    def guess(names: Sequence[str]) -> tuple[list[str], Logits, Logits]:
        labels, suffixes = split(names)
        logits = model.families(labels)
        heeded = model.naming.heed(logits, suffixes)
        sure = sureness(logits, heeded, judge(labels))
        return [model.naming.name(row) for row in heeded], sure, share(heeded)

    return guess


def sureness(logits: Logits, heeded: Logits, settled: Logits) -> Logits:
    """How sure it is of each name that its likeliest known family made it: the log-probability that the name is
    malicious and of that family, and what the label alone says for the family.

    A name of no known generator can have one likeliest family and be little like it: probability compares families
    with each other, the family's own logit does not. Class 0 is "unknown"; `settled`: calibrated log-odds of malice.
    """
    malicious = -np.logaddexp(0.0, -settled)
    by_label = logits[np.arange(len(heeded)), _best(heeded)]
    return np.asarray(malicious + share(heeded) + BY_LABEL * by_label, np.float64)


def share(heeded: Logits) -> Logits:
    """The log-probability of each row's likeliest known family."""
    best = heeded[np.arange(len(heeded)), _best(heeded)]
    return np.asarray(best - np.logaddexp.reduce(heeded, axis=1), np.float64)


def _best(heeded: Logits) -> NDArray[np.int64]:
    best: NDArray[np.int64] = heeded[:, 1:].argmax(axis=1) + 1
    return best


def of_recipe(name: str, corpus: Corpus, out: Path, options: FitOptions | None = None) -> Subject:
    """The recipe fitted on these names, or loaded where it was. Its raw answers get a temperature here."""
    from namewarden.training.fit import fit
    from namewarden.training.recipes import find

    recipe = find(name)
    raw = fit(name, corpus, out, options)
    divisor = _temperature(raw, corpus)

    def judge(labels: Sequence[str]) -> Logits:
        return settle_all(raw(labels), divisor) if labels else np.zeros(0)

    return Subject(
        name=f"recipe-{name}",
        title=f"recipe {name}",
        about=f"{recipe.source}: {recipe.layers}.",
        judge=judge,
        score=judge,
        learned=tuple(sorted(corpus.known["train"])),
        layers=_layers(recipe, corpus),
    )


def _layers(recipe: Recipe, corpus: Corpus) -> list[Layer]:
    if not isinstance(recipe, Neural):
        return []
    from namewarden.training.train import classes

    return layers_of_keras(recipe.build(0, len(classes(corpus))))


def _temperature(raw: Judge, corpus: Corpus) -> float:
    benign = raw(sample(corpus.benign["calibration"], TEMPERED))
    bad = [label for found in corpus.known["calibration"].values() for label in found]
    known = raw(sample(bad, TEMPERED))
    both = np.concatenate([benign, known])
    return temperature(both, np.arange(len(both)) >= len(benign))
