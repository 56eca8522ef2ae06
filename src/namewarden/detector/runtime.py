"""Any network that `folder.py` and `trial.py` let pass, run by ONNX Runtime on one thread.

Counterpart: `forward.py`, which runs the packaged one without it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from namewarden.detector import encoding, graph, trial
from namewarden.detector.folder import ModelError
from namewarden.detector.single import Single
from namewarden.detector.trial import BROKEN, FAMILIES, LOGITS, ROWS

AT_ONCE = trial.AT_ONCE  # more rows at once leave the processor's cache and are no faster


class Runtime:
    """A `Network` (see network.py)."""

    is_quick = False

    def __init__(self, network: bytes, classes: int) -> None:
        trial.run(network, classes)
        self._classes = classes
        # Families are asked for by a graph of their own: ONNX Runtime computes all outputs whichever are fetched,
        # and nine in ten thousand names or less are not benign.
        self._families = trial.session(network) if classes else None
        self._logits = trial.session(graph.without_output(network, FAMILIES))
        self._single = _single(self._logits)

    def logit(self, label: str) -> float:
        """As `logits`, to the last bit: for one label, arrays would take longer than the arithmetic."""
        return asked(self._single.logit, label)  # type: ignore[no-any-return]

    def logits(self, labels: Sequence[str]) -> NDArray[np.float64]:
        def run(some: Sequence[str], width: int) -> NDArray[np.float64]:
            return _run(self._logits, LOGITS, some, width, 1)[:, 0]

        return _by_width(labels, run, ())

    def families(self, labels: Sequence[str]) -> NDArray[np.float64]:
        def run(some: Sequence[str], width: int) -> NDArray[np.float64]:
            return _run(self._families, FAMILIES, some, width, classes)

        classes = self._classes
        if self._families is None:
            return np.zeros((len(labels), 0))
        return _by_width(labels, run, (classes,))


def asked(ask: Callable[..., Any], *given: Any) -> Any:
    """What ONNX Runtime answers. ModelError."""
    try:
        return ask(*given)
    except BROKEN as error:
        raise ModelError(trial.plain(error)) from error


def _run(
    session: Any, output: str, labels: Sequence[str], width: int, columns: int
) -> NDArray[np.float64]:
    """[labels, columns], whatever the network gives."""
    rows = encoding.encode(labels, width)
    found = asked(session.run, [output], {ROWS: rows})[0]
    if fault := trial.misshapen(found, output, len(labels), columns):
        raise ModelError(f"it {fault}")
    numbers: NDArray[np.float64] = found.astype(np.float64).reshape(len(labels), columns)
    return numbers


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
