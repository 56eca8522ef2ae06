"""One label's logit at a time: what the network reads and writes stays where it is, so that only the network is run."""

from threading import local
from typing import Any

import numpy as np

from namewarden.detector import encoding
from namewarden.detector.trial import LOGITS, ROWS


class Single(local):
    """Rows, and where the logit goes, of each thread that asks. All of it raises what ONNX Runtime does
    (`trial.BROKEN`)."""

    def __init__(self, session: Any) -> None:
        self._session = session
        # A network may say [names, 1] or [names], and declare something else.
        said = session.run([LOGITS], {ROWS: encoding.encode([""], encoding.WIDTHS[0])})[0]
        self._logit = np.zeros(said.shape, np.float32)
        self._bound = {width: self._bind(width) for width in encoding.WIDTHS}

    def logit(self, label: str) -> float:
        row, bound = self._bound[encoding.width_of(label)]
        encoding.write(label, row)
        self._session.run_with_iobinding(bound)
        return float(self._logit.item())

    def _bind(self, width: int) -> tuple[Any, Any]:
        row = np.zeros(width, np.int32)
        bound = self._session.io_binding()
        bound.bind_input(ROWS, "cpu", 0, row.dtype, (1, width), row.ctypes.data)
        logit = self._logit
        bound.bind_output(LOGITS, "cpu", 0, logit.dtype, logit.shape, logit.ctypes.data)
        return row, bound
