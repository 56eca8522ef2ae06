"""Counts of n-grams with both ends marked; what is learned survives as plain arrays."""

import pytest

pytest.importorskip("sklearn", reason="needs the extra `train`")
pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipes.ngram_lr import RECIPE, grams
from tests.training import taught


def test_both_ends_count():
    rows = grams(["ab", "ba"])
    assert (rows[0] != rows[1]).nnz > 0
    assert rows[0].nnz == 4 + 3 + 2 + 1  # of ^ab$
    assert abs((rows[0].multiply(rows[0])).sum() - 1) < 1e-6


def test_it_learns(tmp_path):
    taught.check(RECIPE.name, tmp_path)
