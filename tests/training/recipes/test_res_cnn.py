"""The network has the published size and learns."""

import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipes.res_cnn import RECIPE
from tests.training import taught


def test_its_layers_are_the_published_ones():
    assert RECIPE.build(1, 0).count_params() == 146_401


def test_it_learns(tmp_path):
    taught.check(RECIPE.name, tmp_path)
