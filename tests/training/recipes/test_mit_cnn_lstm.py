"""The network has the published size and learns."""

import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipes.mit_cnn_lstm import RECIPE
from tests.training import taught


def test_its_layers_are_the_published_ones():
    assert RECIPE.build(1, 0).count_params() == 103_873


def test_it_learns(tmp_path):
    taught.check(RECIPE.name, tmp_path)
