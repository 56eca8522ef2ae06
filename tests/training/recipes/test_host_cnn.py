"""It reads whole host names, and learns."""

import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipes.host_cnn import RECIPE
from namewarden.training.train import judge, widths_of
from tests.training import taught


def test_the_longest_name_there_can_be_has_a_row():
    name = ".".join(["a" * 60] * 4)[:253]
    assert widths_of(RECIPE, [name]).tolist() == [256]
    logits_of = judge(RECIPE, RECIPE.build(1, 0))
    assert not np.array_equal(logits_of([name]), logits_of([name[:-1] + "b"]))


def test_it_learns(tmp_path):
    taught.check(RECIPE.name, tmp_path)
