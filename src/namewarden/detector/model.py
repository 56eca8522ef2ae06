"""The model at run time: a folder with `model.onnx` and `manifest.json`, run by ONNX Runtime on one thread.

`training/export.py` writes such folders. What does not fit its digest, or would read other files, is not loaded.
"""

from bisect import bisect_left
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
from msgspec import Struct
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from namewarden.detector import encoding
from namewarden.detector.bands import Thresholds, band_of, probability, settle
from namewarden.query import Score

PACKAGED = Path(__file__).parent / "model"
LARGEST = 64 * 1024 * 1024
_BROKEN = (ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoModel,
           ort.NotImplemented, ort.RuntimeException, ort.EPFail, ort.EngineError, ort.NoSuchFile,
           RuntimeError, ValueError)  # fmt: skip


class ModelError(Exception):
    """A model that cannot be loaded or run; says what to do."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What belongs to the numbers in `model.onnx`. Logits here are calibrated ones."""

    schema: int
    digest: str  # SHA-256 of model.onnx, hex
    encoding: int  # detector/encoding.py VERSION
    made: str  # date
    temperature: float
    thresholds: Thresholds
    calibration: tuple[
        tuple[float, int], ...
    ]  # conformal: (logit, benign names at or above), rising
    calibration_names: int
    families: tuple[str, ...]  # learned from
    unseen_families: tuple[str, ...]  # kept away, measured only
    seen: str  # the rule by which a benign name was learned from


class Model:
    """A `Scorer` (see score.py)."""

    def __init__(self, folder: Path = PACKAGED) -> None:
        self.manifest, network = read(folder)
        self.model = self.manifest.digest[:12]
        self.thresholds = self.manifest.thresholds
        self._session = _session(network, folder)
        self._input: str = self._session.get_inputs()[0].name
        self._logits = [at for at, _ in self.manifest.calibration]
        self._above = [count for _, count in self.manifest.calibration]

    def score_batch(self, labels: Sequence[str]) -> list[Score]:
        if not labels:
            return []
        return [self._score(raw) for raw in self.raw(labels).tolist()]

    def raw(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """The network's logits, uncalibrated. A row's logit is the same to the last bit whatever is beside it."""
        widths = [encoding.width_of(label) for label in labels]
        if len(set(widths)) == 1:
            return self._run(labels, widths[0])
        logits = np.zeros(len(labels))
        for width in set(widths):
            here = [place for place, wanted in enumerate(widths) if wanted == width]
            logits[here] = self._run([labels[place] for place in here], width)
        return logits

    def _run(self, labels: Sequence[str], width: int) -> NDArray[np.float64]:
        try:
            logits = self._session.run(None, {self._input: encoding.encode(labels, width)})[0]
        except _BROKEN as error:
            raise ModelError(
                f"model {self.model} does not run: {error}; install another one"
            ) from error
        return np.asarray(logits, dtype=np.float64).reshape(len(labels))

    def _score(self, raw: float) -> Score:
        logit = settle(raw, self.manifest.temperature)
        return Score(
            probability(logit),
            logit,
            band_of(logit, self.thresholds),
            "",
            self.model,
            self._p_value(logit),
        )

    def _p_value(self, logit: float) -> float:
        """The share of held-out benign names at least as suspicious; kept coarse below the tail, never too small."""
        place = max(bisect_left(self._logits, logit) - 1, 0)
        exact = place + 1 < len(self._logits) and self._logits[place + 1] == logit
        above = self._above[place + 1 if exact else place]
        if logit > self._logits[-1]:
            above = 0
        return (1 + above) / (1 + self.manifest.calibration_names)


def read(folder: Path) -> tuple[Manifest, bytes]:
    """Manifest and network of a folder, checked against each other. ModelError."""
    advice = "give the folder of an exported model, or unset model.path for the packaged one"
    try:
        manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
        with (folder / "model.onnx").open("rb") as file:
            network = file.read(LARGEST + 1)
    except OSError as error:
        raise ModelError(f"{folder}: {error.strerror or error}: {advice}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder}/manifest.json is not a manifest: {error}: {advice}") from error
    for fault, wrong in (
        ("it is larger than a model may be", len(network) > LARGEST),
        ("its digest is not the manifest's", sha256(network).hexdigest() != manifest.digest),
        (
            f"it reads encoding {manifest.encoding}, we write {encoding.VERSION}",
            manifest.encoding != encoding.VERSION,
        ),
        ("its manifest has no calibration", not manifest.calibration),
        # The key of ONNX's external data (CVE-2022-25882, CVE-2024-27318): our models have all weights inside.
        ("it wants to read other files", b"location" in network),
    ):
        if wrong:
            raise ModelError(f"{folder}/model.onnx: {fault}: {advice}")
    return manifest, network


def _session(network: bytes, folder: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    except _BROKEN as error:
        raise ModelError(
            f"{folder}/model.onnx does not load: {error}: train or install another one"
        ) from error
