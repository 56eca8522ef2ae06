"""What runs a model's network: our own forward pass (`forward.py`) where the graph is the one it knows, else ONNX
Runtime (`runtime.py`), which is loaded by nobody else."""

import os
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from namewarden.detector import forward
from namewarden.detector.folder import Manifest


class Network(Protocol):
    """Labels → logits as the network gives them, uncalibrated. A label's are the same to the last bit whatever is
    beside it. Any thread may ask. ModelError when it does not run."""

    @property
    def is_quick(self) -> bool:
        """A label takes some microseconds: less than to have another thread do it."""

    def logit(self, label: str) -> float: ...

    def logits(self, labels: Sequence[str]) -> NDArray[np.float64]: ...

    def families(self, labels: Sequence[str]) -> NDArray[np.float64]:
        """[labels, classes]; no columns when there are no classes."""


def load(manifest: Manifest, network: bytes, environ: Mapping[str, str] = os.environ) -> Network:
    """ModelError when it does not run."""
    if own := forward.load(manifest, network, environ):
        return own
    from namewarden.detector.runtime import (
        Runtime,
    )  # some 40 MB that the packaged model can do without

    return Runtime(network, len(manifest.family_classes))
