"""A label as the numbers the model reads. The one encoding of training and runtime; a change is a new VERSION."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

VERSION = 1
WIDTH = 64  # a label has at most 63 octets; one column stays padding
MARGIN = 2  # columns of padding that a narrower row has, as far as the network looks beyond a label's end
WIDTHS = (
    16,
    24,
    WIDTH,
)  # rows are as narrow as their label allows: the network is indifferent to padding
PADDING = 0
OTHER = 39
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-_"
SYMBOLS = OTHER + 1

_CODES = np.full(256, OTHER, dtype=np.uint8)
for _place, _letter in enumerate(ALPHABET):
    _CODES[ord(_letter)] = _place + 1
TABLE = _CODES.tobytes()  # octet → code
_NARROWEST = tuple(
    next((width for width in WIDTHS if size + MARGIN <= width), WIDTH) for size in range(WIDTH + 1)
)


def encode(labels: Sequence[str], width: int = WIDTH) -> NDArray[np.int32]:
    """One row of `width` codes a label; what is longer is cut, unknown octets are OTHER."""
    rows = b"".join(_codes(label, width) for label in labels)
    return np.frombuffer(rows, dtype=np.uint8).reshape(len(labels), width).astype(np.int32)


def write(label: str, row: NDArray[np.int32]) -> None:
    """Put into a row what `encode` would make of the label."""
    row[...] = np.frombuffer(_codes(label, row.size), dtype=np.uint8)


def _codes(label: str, width: int) -> bytes:
    return label.encode("ascii", "replace")[: width - 1].translate(TABLE).ljust(width, b"\0")


def width_of(label: str) -> int:
    """The narrowest row that holds the label and MARGIN columns of padding; the widest has less beside a long one."""
    return _NARROWEST[min(len(label), WIDTH)]


def widths_of(labels: Sequence[str]) -> NDArray[np.intp]:
    """`width_of` each."""
    return np.fromiter(map(width_of, labels), np.intp, len(labels))
