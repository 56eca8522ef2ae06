"""The model at run time: a folder with `model.onnx` and `manifest.json`, run by ONNX Runtime on one thread.

What does not fit its digest or asks for what no network of ours needs is not loaded (`folder.py`, `trial.py`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from namewarden.detector import encoding, graph, trial
from namewarden.detector.bands import band_of, bands_of, probability, settle, settle_all
from namewarden.detector.conformal import PValues
from namewarden.detector.families import Naming, split
from namewarden.detector.folder import PACKAGED, Manifest, ModelError, read
from namewarden.detector.single import Single
from namewarden.detector.trial import BROKEN, FAMILIES, LOGITS, ROWS
from namewarden.query import Band, Score

__all__ = ["PACKAGED", "Manifest", "Model", "ModelError", "read"]

AT_ONCE = trial.AT_ONCE  # more rows at once leave the processor's cache and are no faster


class Model:
    """A `Scorer` (see score.py)."""

    def __init__(self, folder: Path = PACKAGED) -> None:
        self.manifest, network = read(folder)
        self.model = self.manifest.digest[:12]
        self.thresholds = self.manifest.thresholds
        self._classes = self.manifest.family_classes
        self.naming = Naming(self.manifest)
        self._p_values = PValues(self.manifest.calibration, self.manifest.calibration_names)
        try:
            trial.run(network, len(self._classes))
            # Families are asked for by a graph of their own: ONNX Runtime computes all outputs whichever are fetched,
            # and nine in ten thousand names or less are not benign.
            self._families = trial.session(network) if self._classes else None
            self._logits = trial.session(graph.without_output(network, FAMILIES))
            self._single = _single(self._logits)
        except ModelError as error:
            raise ModelError(
                f"{folder}/model.onnx {error}: train or install another one"
            ) from error

    def score_batch(self, names: Sequence[str]) -> list[Score]:
        """A family is told of names that are not benign; it alone heeds the suffix."""
        if len(names) <= 1:
            return [self._score(name) for name in names]
        logits, bands, p_values = self._judged(self.raw([each.partition(".")[0] for each in names]))
        families = self._named(names, bands)
        model = self.model
        return [
            Score(probability(logit), logit, band, family, model, p_value)
            for logit, band, family, p_value in zip(logits, bands, families, p_values, strict=True)
        ]

    def raw(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """The network's logits, uncalibrated. A row's logit is the same to the last bit whatever is beside it."""

        def run(some: Sequence[str], width: int) -> NDArray[np.float64]:
            return self._run(self._logits, LOGITS, some, width, 1)[:, 0]

        return _by_width(labels, run, ())

    def families(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """Logits of the family classes, by the label alone, [names, classes]; no columns when there are no classes."""

        def run(some: Sequence[str], width: int) -> NDArray[np.float64]:
            return self._run(self._families, FAMILIES, some, width, classes)

        classes = len(self._classes)
        if self._families is None:
            return np.zeros((len(labels), 0))
        return _by_width(labels, run, (classes,))

    def _run(
        self, session: Any, output: str, labels: Sequence[str], width: int, columns: int
    ) -> NDArray[np.float64]:
        """[labels, columns], whatever the network gives."""
        rows = encoding.encode(labels, width)
        found = self._asked(session.run, [output], {ROWS: rows})[0]
        if fault := trial.misshapen(found, output, len(labels), columns):
            raise self._broken(f"it {fault}")
        numbers: NDArray[np.float64] = found.astype(np.float64).reshape(len(labels), columns)
        return numbers

    def _asked(self, ask: Callable[..., Any], *given: Any) -> Any:
        """What ONNX Runtime answers. ModelError."""
        try:
            return ask(*given)
        except BROKEN as error:
            raise self._broken(trial.plain(error)) from error

    def _score(self, name: str) -> Score:
        """As `score_batch`, to the last bit: for one name, arrays would take longer than the arithmetic."""
        found = self._asked(self._single.logit, name.partition(".")[0])
        logit = settle(found, self.manifest.temperature)
        if logit != logit:
            raise self._broken("it gives no number")
        band = band_of(logit, self.thresholds)
        family = self._named((name,), (band,))[0] if band != "benign" else ""
        p_value = self._p_values.of(logit)
        return Score(probability(logit), logit, band, family, self.model, p_value)

    def _judged(self, raw: NDArray[np.float64]) -> tuple[list[float], list[Band], list[float]]:
        """Calibrated logit, band and p-value of each."""
        logits = settle_all(raw, self.manifest.temperature)
        if np.isnan(logits).any():
            raise self._broken("it gives no number")
        bands = bands_of(logits, self.thresholds)
        return logits.tolist(), bands, self._p_values.of_all(logits).tolist()

    def _named(self, names: Sequence[str], bands: Sequence[Band]) -> list[str]:
        """The family of each name that is not benign, "" for all others."""
        families = [""] * len(names)
        places = [place for place, band in enumerate(bands) if band != "benign"]
        if places and self._families is not None:
            labels, suffixes = split(names[place] for place in places)
            found = self.naming.heed(self.families(labels), suffixes)
            for place, row in zip(places, found, strict=True):
                families[place] = self.naming.name(row)
        return families

    def _broken(self, why: str) -> ModelError:
        return ModelError(f"model {self.model} does not run: {why}; install another one")


def _single(session: Any) -> Single:
    """Tried on a label of each width: what loads is to answer."""
    try:
        single = Single(session)
        for label in trial.LABELS:
            single.logit(label)
    except BROKEN as error:
        raise ModelError(f"does not run on one name: {trial.plain(error)}") from error
    return single


Run = Callable[[Sequence[str], int], NDArray[np.float64]]


def _by_width(labels: Sequence[str], run: Run, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Runs labels of one width together, a bounded number at once; results in the order of the labels."""
    if len(labels) == 1:
        return run(labels, encoding.width_of(labels[0]))
    widths = encoding.widths_of(labels)
    found = np.zeros((len(labels), *shape))
    for width in encoding.WIDTHS:
        places = np.flatnonzero(widths == width)
        for begin in range(0, len(places), AT_ONCE):
            here = places[begin : begin + AT_ONCE]
            found[here] = run([labels[place] for place in here.tolist()], width)
    return found
