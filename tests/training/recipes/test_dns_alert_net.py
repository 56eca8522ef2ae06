"""The seed network to the last parameter, and its picture of a name."""

import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.training.recipe import FitOptions
from namewarden.training.recipes.dns_alert_net import RECIPE, encode
from tests.training import taught


def test_its_layers_are_those_of_the_seed_document():
    model = RECIPE.build(1, 0)
    sizes = [layer.count_params() for layer in model.layers if layer.count_params()]
    assert sizes == [80, 1040, 520, 264, 9] and sum(sizes) == 1913
    shapes = [tuple(layer.output.shape[1:]) for layer in model.layers if layer.count_params()]
    assert shapes == [(15, 15, 16), (6, 6, 16), (2, 2, 8), (8,), (1,)]


def test_a_name_is_its_code_points_and_zeros():
    row = encode(["az.09"])[0]
    assert row[:6].tolist() == [97, 122, 46, 48, 57, 0] and len(row) == 256 and not row[5:].any()
    assert encode(["a" * 300])[0].tolist() == [97] * 256


def test_it_learns(tmp_path):
    taught.check(
        RECIPE.name, tmp_path, FitOptions(epochs=300, batch=16, made_up=0, every=300, rate=0.01)
    )
