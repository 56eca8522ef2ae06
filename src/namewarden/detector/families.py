"""Which generator made a name: what the network says of the label, and the suffix the name stands under.

Generators that draw letters evenly differ in length and suffix alone. Whether a name is generated is never asked
here: band, logit and p-value come from the label and nothing else. `training/suffixes.py` makes the table.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from namewarden.detector.folder import Manifest

Logits = NDArray[np.float64]
OTHER = ""  # in the manifest: every suffix that the table does not name


def split(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Labels, and the suffix of each, "" where none is given. A label holds no dot."""
    parts = [name.partition(".") for name in names]
    return [label for label, _, _ in parts], [suffix for _, _, suffix in parts]


class Naming:
    """The classes of a manifest, and how likely each stands under which suffix."""

    def __init__(self, manifest: Manifest) -> None:
        self.classes = manifest.family_classes
        self._least = manifest.family_threshold
        self._rows = table(manifest)

    def heed(self, logits: Logits, suffixes: Sequence[str]) -> Logits:
        """Both logarithms added up, [names, classes]: naive Bayes. Without a suffix the label alone speaks."""
        other, silent = self._rows[OTHER], np.zeros(len(self.classes))
        said = [self._rows.get(suffix, other) if suffix else silent for suffix in suffixes]
        return logits + np.array(said).reshape(logits.shape)

    def name(self, row: Logits) -> str:
        """The likeliest known family; "" when it is less probable than families are named from."""
        if len(row) < 2:
            return ""
        best = int(row[1:].argmax()) + 1
        shares = np.exp(row - row.max())
        # Written so that what is no number is no family either.
        return self.classes[best] if shares[best] / shares.sum() >= self._least else ""


def table(manifest: Manifest) -> dict[str, Logits]:
    """Suffix → what it says of each class, in their order; a class without suffixes says nothing."""
    of = manifest.family_suffixes
    named = dict.fromkeys([OTHER, *(suffix for found in of.values() for suffix in found)])
    return {
        suffix: np.array(
            [_log_likelihood(of.get(each), suffix) for each in manifest.family_classes]
        )
        for suffix in named
    }


def _log_likelihood(found: dict[str, float] | None, suffix: str) -> float:
    return 0.0 if found is None else found.get(suffix, found[OTHER])
