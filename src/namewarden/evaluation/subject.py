"""What is measured: a model as the resolver loads it, or a recipe fitted on the same names. All are a `Judge`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.detector.bands import settle
from namewarden.detector.model import PACKAGED, Model
from namewarden.evaluation.families import Guess
from namewarden.evaluation.network import Layer, layers_of
from namewarden.training.measure import Judge, Logits

AT_ONCE = 1024


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
    guess: Guess | None = None  # None: it knows no families
    model: Model | None = None


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
        p_values=lambda labels: np.array([score.p_value for score in _scores(model, labels)]),
        layers=layers_of((place / "model.onnx").read_bytes()),
        files={each.name: each.stat().st_size for each in place.iterdir() if each.is_file()},
        folder=place,
        model=model,
    )


def _judge_of(model: Model) -> Judge:
    def judge(labels: Sequence[str]) -> Logits:
        cut = [model.raw(labels[at : at + AT_ONCE]) for at in range(0, len(labels), AT_ONCE)]
        return settled(np.concatenate(cut) if cut else np.zeros(0), model.manifest.temperature)

    return judge


def _scores(model: Model, labels: Sequence[str]):  # type: ignore[no-untyped-def]
    for at in range(0, len(labels), AT_ONCE):
        yield from model.score_batch(labels[at : at + AT_ONCE])


def settled(raw: Logits, temperature: float) -> Logits:
    return np.fromiter((settle(each, temperature) for each in raw.tolist()), np.float64, len(raw))
