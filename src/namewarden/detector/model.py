"""The model at run time: a folder with `model.onnx` and `manifest.json`; `network.py` chooses what runs the network.

What does not fit its digest or asks for what no network of ours needs is not loaded (`folder.py`, `trial.py`).
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from namewarden.detector import network
from namewarden.detector.bands import band_of, bands_of, probability, settle, settle_all
from namewarden.detector.conformal import PValues
from namewarden.detector.families import Naming, split
from namewarden.detector.folder import PACKAGED, Manifest, ModelError, read
from namewarden.query import Band, Score

__all__ = ["PACKAGED", "Manifest", "Model", "ModelError", "read"]


class Model:
    """A `Scorer` (see score.py)."""

    def __init__(self, folder: Path = PACKAGED, environ: Mapping[str, str] = os.environ) -> None:
        self.manifest, octets = read(folder)
        self.model = self.manifest.digest[:12]
        self.thresholds = self.manifest.thresholds
        self.naming = Naming(self.manifest)
        self._p_values = PValues(self.manifest.calibration, self.manifest.calibration_names)
        try:
            self.network = network.load(self.manifest, octets, environ)
        except ModelError as error:
            raise ModelError(
                f"{folder}/model.onnx {error}: train or install another one"
            ) from error
        self.is_quick = self.network.is_quick

    def score_batch(self, names: Sequence[str]) -> list[Score]:
        """A family is told of names that are not benign; it alone heeds the suffix."""
        if len(names) <= 1:
            return [self.score(name) for name in names]
        logits, bands, p_values = self._judged(self.raw([each.partition(".")[0] for each in names]))
        families = self._named(names, bands)
        model = self.model
        return [
            Score(probability(logit), logit, band, family, model, p_value)
            for logit, band, family, p_value in zip(logits, bands, families, p_values, strict=True)
        ]

    def raw(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """The network's logits, uncalibrated. A row's logit is the same to the last bit whatever is beside it."""
        try:
            return self.network.logits(labels)
        except ModelError as error:
            raise self._broken(str(error)) from error

    def families(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """Logits of the family classes, by the label alone, [names, classes]; no columns when there are no classes."""
        try:
            return self.network.families(labels)
        except ModelError as error:
            raise self._broken(str(error)) from error

    def score(self, name: str) -> Score:
        """As `score_batch`, to the last bit: for one name, arrays would take longer than the arithmetic."""
        try:
            found = self.network.logit(name.partition(".")[0])
        except ModelError as error:
            raise self._broken(str(error)) from error
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
        if places and self.manifest.family_classes:
            labels, suffixes = split(names[place] for place in places)
            found = self.naming.heed(self.families(labels), suffixes)
            for place, row in zip(places, found, strict=True):
                families[place] = self.naming.name(row)
        return families

    def _broken(self, why: str) -> ModelError:
        return ModelError(f"model {self.model} does not run: {why}; install another one")
