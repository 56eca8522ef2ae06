"""A random forest on hand-made features of a label, no letters learned.

Schüppen, Teubert, Herrmann, Meyer 2018, FANCI: Feature-based Automated NXDomain Classification and Intelligence
(USENIX Security). Of its 21 features those that speak of subdomains, `www` or the suffix are constant for one label
and left out; the n-gram frequencies are 21 numbers here as there. Trees are kept as arrays, never as a pickle.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from namewarden.training.recipe import Array, Featured, Judge, Tell

TREES = 100  # the paper's nine give ten different scores, too few for a threshold at 1e-3
LEAF = 5  # examples at least
AT_ONCE = 20_000
VOWELS = frozenset("aeiou")
DIGITS = frozenset("0123456789")
CONSONANTS = frozenset("bcdfghjklmnpqrstvwxyz")
HEXADECIMAL = frozenset("0123456789abcdef")


def features(labels: Sequence[str]) -> NDArray[np.float32]:
    """One row a label: 14 of its letters as a whole, then 7 of the frequencies of its 1-, 2- and 3-grams each."""
    return np.array([_whole(label) + _frequencies(label) for label in labels], np.float32)


def _whole(label: str) -> list[float]:
    size = max(len(label), 1)
    counts = Counter(label)
    digits = sum(counts[c] for c in DIGITS)
    letters = set(label)
    return [
        len(label),
        _repeats(label),
        bool(label) and letters <= DIGITS,
        bool(label) and letters <= HEXADECIMAL,
        counts["_"] / size,
        counts["-"] / size,
        digits > 0,
        digits / size,
        sum(counts[c] for c in VOWELS) / size,
        len(counts),
        sum(times > 1 for times in counts.values()) / max(len(counts), 1),
        _in_a_row(label, CONSONANTS) / size,
        _in_a_row(label, DIGITS) / size,
        -sum(n / size * log2(n / size) for n in counts.values()),
    ]


def _repeats(label: str) -> bool:
    """Is it one piece, over and over?"""
    return len(label) > 1 and label in (label + label)[1:-1]


def _in_a_row(label: str, kind: frozenset[str]) -> int:
    """How many characters stand in runs of two or more of this kind."""
    runs = (len(list(run)) for inside, run in groupby(label, kind.__contains__) if inside)
    return sum(size for size in runs if size > 1)


def _frequencies(label: str) -> list[float]:
    found: list[float] = []
    for size in (1, 2, 3):
        counts = sorted(Counter(label[i : i + size] for i in range(len(label) - size + 1)).values())
        found += _spread(counts or [0])
    return found


def _spread(ordered: list[int]) -> list[float]:
    """Mean, deviation, least, quartiles, most."""
    size = len(ordered)
    mean = sum(ordered) / size
    deviation = (sum((n - mean) ** 2 for n in ordered) / size) ** 0.5
    quarters = [ordered[(size - 1) * q // 4] for q in range(5)]
    return [mean, deviation, *quarters]


def fit(labels: Sequence[str], bad: NDArray[np.float32], seed: int, tell: Tell) -> dict[str, Array]:
    rows = []
    for start in range(0, len(labels), AT_ONCE):
        rows.append(features(labels[start : start + AT_ONCE]))
        tell("features", 0.5 * start / len(labels))
    table = np.concatenate(rows)
    forest = RandomForestClassifier(
        n_estimators=0, min_samples_leaf=LEAF, random_state=seed, warm_start=True
    )
    for tree in range(1, TREES + 1):
        forest.set_params(n_estimators=tree)
        forest.fit(table, bad > 0.5)
        tell("trees", 0.5 + 0.5 * tree / TREES)
    return to_arrays([one.tree_ for one in forest.estimators_])


def to_arrays(trees: Sequence[Any]) -> dict[str, Array]:
    """All nodes of all trees in a row; `left` and `right` are places in it, a leaf is its own child."""
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    left: list[Array] = []
    right: list[Array] = []
    for tree, start in zip(trees, starts, strict=False):
        own = np.arange(tree.node_count)
        for children, kept in ((tree.children_left, left), (tree.children_right, right)):
            kept.append(np.where(children < 0, own, children) + start)
    return {
        "roots": starts[:-1].astype(np.int32),
        "left": np.concatenate(left).astype(np.int32),
        "right": np.concatenate(right).astype(np.int32),
        "feature": np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int8),
        "threshold": np.concatenate([tree.threshold for tree in trees]),
        "share": np.concatenate([_share(tree.value) for tree in trees]).astype(np.float32),
    }


def _share(values: Array) -> Array:
    """Of generated names in each node."""
    return np.asarray(values[:, 0, 1] / values[:, 0, :].sum(axis=1))


def judge(kept: Mapping[str, Array]) -> Judge:
    def logits_of(labels: Sequence[str]) -> NDArray[np.float64]:
        parts = [
            _vote(kept, features(labels[start : start + AT_ONCE]))
            for start in range(0, len(labels), AT_ONCE)
        ]
        share = np.clip(np.concatenate([np.zeros(0), *parts]), 1e-6, 1 - 1e-6)
        odds: NDArray[np.float64] = np.log(share) - np.log1p(-share)
        return odds

    return logits_of


def _vote(kept: Mapping[str, Array], rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean over the trees of the share in the leaf where each row ends."""
    names = np.arange(len(rows))
    total = np.zeros(len(rows))
    for root in kept["roots"]:
        at = np.full(len(rows), root)
        while True:
            goes_left = rows[names, kept["feature"][at]] <= kept["threshold"][at]
            following = np.where(goes_left, kept["left"][at], kept["right"][at])
            if (following == at).all():
                break
            at = following
        total += kept["share"][at]
    return total / len(kept["roots"])


RECIPE = Featured(
    name="fanci-forest",
    source="Schüppen et al. 2018, USENIX Security",
    layers="35 numbers of the label's letters, digits, runs, entropy and n-gram frequencies, 100 trees",
    fit=fit,
    judge=judge,
)
