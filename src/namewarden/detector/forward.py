"""The packaged network in C, without the interpreter lock and without ONNX Runtime (decision 008).

Taken where the graph is the one that `training/lean.py` writes, node by node, and what it says of the manifest's
examples is what ONNX Runtime said when the model was made. Counterparts: `_forward.c`, and `runtime.py`, which serves
everywhere else and gives the same answers.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from namewarden import native
from namewarden.detector import encoding, graph
from namewarden.detector.folder import Manifest

PLAN = "40fef97910f5209559006b25f22f49f8865f5bc3f631ce4475a8b5d088472162"  # of the graph (`graph.plan`)
APART = 1e-4  # between logits that are the same: another order of sums makes some 1e-6
AT_ONCE = 4096
BACK, PARTS, COUNTED, MADE = 6, 3, 4, 2  # as in `_forward.c`
SPELLED, GROUPS, CHANNELS, HEARD, KIN, TAPS = 16, 12, 48, 128, 96, 3
GRAMS, READ = COUNTED + MADE, SPELLED + GROUPS + COUNTED
POOLED = 2 * (READ + 2 * CHANNELS) + 2
VALUES = 256 * PARTS
# Numbers that the nodes are given, and the C code has built in.
FIXED = {
    "by_part": [0, PARTS, GRAMS, -1],
    "counted_and_made": [COUNTED, MADE],
    "surprises_begin": [SPELLED],
    "surprises_end": [SPELLED + GROUPS],
    "axis_1": [1],
    "axis_2": [2],
    "nothing": [0],
    "one": [1],
}
Tensors = dict[str, NDArray[Any]]


class Forward:
    """A `Network` (see network.py)."""

    is_quick = True

    def __init__(self, helper: ModuleType, parts: tuple[bytes, ...], classes: int) -> None:
        self._helper = helper
        self._classes = classes
        self._network = helper.load(parts, classes)
        self.logit: Callable[[str], float] = partial(helper.logit, self._network)

    def logits(self, labels: Sequence[str]) -> NDArray[np.float64]:
        return self._each(self._helper.logits, labels, 1)[:, 0]

    def families(self, labels: Sequence[str]) -> NDArray[np.float64]:
        return self._each(self._helper.families, labels, self._classes)

    def _each(self, run: Any, labels: Sequence[str], columns: int) -> NDArray[np.float64]:
        octets = b"".join(
            run(self._network, list(labels[begin : begin + AT_ONCE]))
            for begin in range(0, len(labels), AT_ONCE)
        )
        return np.frombuffer(octets, np.float32).reshape(len(labels), columns).astype(np.float64)


def load(
    manifest: Manifest, network: bytes, environ: Mapping[str, str] = os.environ
) -> Forward | None:
    """None where there is no helper, or the network is not one that it knows."""
    helper = native.load("namewarden.detector._forward", environ)
    if helper is None or not manifest.examples or graph.plan(network) != PLAN:
        return None
    classes = len(manifest.family_classes)
    try:
        own = Forward(helper, _parts(graph.tensors(network), classes), classes)
    except (KeyError, ValueError):
        return None
    return own if _agrees(own, manifest.examples) else None


def _agrees(own: Forward, examples: dict[str, float]) -> bool:
    apart = float(np.abs(own.logits(list(examples)) - list(examples.values())).max())
    if apart < APART:
        return True
    import structlog  # what a command without a log need not load

    structlog.get_logger("forward").warning(
        "the forward pass in C says something else, ONNX Runtime serves", apart=apart
    )
    return False


def _parts(tensors: Tensors, classes: int) -> tuple[bytes, ...]:
    """What `_forward.c` is given, in its order. KeyError or ValueError when they are not such as training makes."""
    if {name: tensors[name].tolist() for name in FIXED} != FIXED:
        raise ValueError("other numbers are built in")
    if tensors["octets"].dtype != np.uint8:
        raise ValueError("tables are of octets")

    def whole(name: str, *shape: int) -> bytes:
        found = tensors[name]
        if found.shape != shape or not (np.abs(found) < 2.0**31).all() or (found % 1).any():
            raise ValueError(f"{name} are no such whole numbers")
        return found.astype(np.int32).tobytes()

    def halved(name: str, *shape: int) -> NDArray[np.float32]:
        found = tensors[f"{name}_half"]
        if not (found.shape == shape and np.isfinite(found).all()):
            raise ValueError(f"{name} are no such weights")
        return found.astype(np.float32)

    def convolution(name: str, channels: int) -> bytes:
        """[out, in, taps] → [in and tap, out]"""
        kernel = halved(name, CHANNELS, channels, TAPS).transpose(1, 2, 0)
        return np.ascontiguousarray(kernel).tobytes()

    def dense(name: str, columns: int, rows: int) -> tuple[bytes, bytes]:
        kernel, bias = halved(f"{name}_kernel", rows, columns, 1), halved(f"{name}_bias", rows)
        return kernel.tobytes(), bias.tobytes()

    return (
        encoding.TABLE,
        whole("factors", PARTS * GRAMS, 1, BACK),
        whole("sizes", PARTS * GRAMS, 1),
        whole("starts", PARTS * GRAMS, 1),
        tensors["octets"].tobytes(),
        halved("steps", VALUES).tobytes(),
        halved("book", VALUES, GROUPS).tobytes(),
        halved("letters", encoding.SYMBOLS, SPELLED).tobytes(),
        halved("lengths", encoding.WIDTH, KIN).tobytes(),
        convolution("first", READ),
        convolution("second", CHANNELS),
        *dense("hidden", POOLED, HEARD),
        *dense("logit", HEARD, 1),
        *dense("kin", POOLED, KIN),
        *dense("families", KIN, classes),
    )
