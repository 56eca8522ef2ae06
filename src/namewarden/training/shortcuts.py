"""What a host name gives away without being read: its length, dots, digits and suffix.

A judge of these alone is what any result on such names must be compared with (`evaluation/seed_task.py`).
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from namewarden.training.recipe import Judge

ENDS = 60  # last labels that have a column of their own
TREES = 100
LEAF = 5
SEED = 20261121


def by_shortcuts(benign: Sequence[str], bad: Sequence[str], most: int = ENDS) -> Judge:
    """A small forest on them, as log-odds; `most` suffixes have a column, 0: it is not looked at."""
    ends = [end for end, _ in Counter(map(_end, [*benign, *bad])).most_common(most)]
    forest = RandomForestClassifier(TREES, min_samples_leaf=LEAF, random_state=SEED)
    forest.fit(_table([*benign, *bad], ends), np.repeat([0, 1], [len(benign), len(bad)]))

    def logits_of(names: Sequence[str]) -> NDArray[np.float64]:
        if not names:
            return np.zeros(0)
        share = np.clip(forest.predict_proba(_table(names, ends))[:, 1], 1e-6, 1 - 1e-6)
        odds: NDArray[np.float64] = np.log(share) - np.log1p(-share)
        return odds

    return logits_of


def _end(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def _table(names: Sequence[str], ends: Sequence[str]) -> NDArray[np.float32]:
    plain = [[len(n), n.count("."), sum(map(str.isdigit, n))] for n in names]
    known = [[_end(name) == end for end in ends] for name in names]
    return np.hstack(
        [np.array(plain, np.float32), np.array(known, np.float32).reshape(len(names), len(ends))]
    )
