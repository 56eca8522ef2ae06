"""Bins, errors and p-values, by hand."""

import numpy as np
import pytest

from namewarden.evaluation.calibration import bins, measure, p_values, reliability, show


def logit(p):
    return np.log(p / (1 - p))


def test_who_is_right_as_often_as_it_says_has_no_error():
    benign = logit(np.repeat([0.2, 0.8], [800, 200]))
    bad = logit(np.repeat([0.2, 0.8], [200, 800]))
    found = reliability(benign, bad)
    assert found.error == pytest.approx(0.0, abs=1e-9)
    assert found.brier == pytest.approx(0.16)


def test_who_is_too_sure_has_the_difference():
    found = reliability(logit(np.full(100, 0.9)), logit(np.full(100, 0.9)))
    assert found.error == found.worst == pytest.approx(0.4)
    assert found.called_generated == pytest.approx(0.4) and found.called_benign == 0.0


def test_bins_weigh_about_the_same():
    said = np.linspace(0, 1, 100)
    _, sizes = bins(said, np.zeros(100), np.ones(100), most=4)
    assert sizes.tolist() == [0.25] * 4


def test_a_p_value_is_the_share_at_least_as_suspicious():
    calibration = np.array([1.0, 2.0, 2.0, 3.0])
    assert p_values(calibration, np.array([4.0, 2.0, 0.0])).tolist() == [1 / 5, 4 / 5, 5 / 5]


def test_coverage_of_exchangeable_names_is_nominal():
    dice = np.random.default_rng(1)
    benign = dice.normal(size=20_000)
    found = measure(benign, benign + 5, np.zeros(0), p_values(dice.normal(size=20_000), benign))
    assert found.coverage[0].rate == pytest.approx(0.1, rel=0.1)
    assert found.unseen is None
    assert "| 0.01 |" in show(found) and "benign and unseen" not in show(found)
