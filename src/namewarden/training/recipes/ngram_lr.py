"""Logistic regression on hashed character n-grams: the simplest thing that works, and no slower than a look-up.

The features are as in Cavnar and Trenkle 1994 (N-Gram-Based Text Categorization), hashed as in Weinberger et al.
2009 (Feature Hashing for Large Scale Multitask Learning); what is kept are the coefficients.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from namewarden.training.recipe import Array, Featured, Judge, Tell

LONGEST = 5
BUCKETS = 2**18
AT_ONCE = 50_000  # labels hashed between two words about it
STRENGTH = 10.0  # inverse of the penalty; rows have length 1
ROUNDS = 100


def grams(labels: Sequence[str]) -> Any:
    """Counts of all n-grams of 1 to LONGEST characters, begin and end marked, each row of length 1."""
    hashing = HashingVectorizer(
        analyzer="char",
        ngram_range=(1, LONGEST),
        n_features=BUCKETS,
        alternate_sign=False,
        lowercase=False,
        dtype=np.float32,
    )
    return hashing.transform([f"^{label}$" for label in labels])


def fit(labels: Sequence[str], bad: NDArray[np.float32], seed: int, tell: Tell) -> dict[str, Array]:
    from scipy.sparse import vstack

    hashed = []
    for start in range(0, len(labels), AT_ONCE):
        hashed.append(grams(labels[start : start + AT_ONCE]))
        tell("hashing", 0.5 * start / len(labels))
    tell("regressing", 0.5)
    model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=1e-3, random_state=seed)
    model.fit(vstack(hashed, format="csr"), bad > 0.5)
    tell("done", 1.0)
    return {
        "coefficients": model.coef_[0].astype(np.float32),
        "intercept": model.intercept_.astype(np.float64),
    }


def judge(kept: Mapping[str, Array]) -> Judge:
    def logits_of(labels: Sequence[str]) -> NDArray[np.float64]:
        parts = [
            grams(labels[start : start + AT_ONCE]) @ kept["coefficients"]
            for start in range(0, len(labels), AT_ONCE)
        ]
        whole: NDArray[np.float64] = np.concatenate([np.zeros(0), *parts])
        return whole + float(kept["intercept"][0])

    return logits_of


RECIPE = Featured(
    name="ngram-lr",
    source="Cavnar and Trenkle 1994; Weinberger et al. 2009, arXiv 0902.2206",
    layers="n-grams of 1-5 characters hashed into 262,144 counts, logistic regression",
    fit=fit,
    judge=judge,
)
