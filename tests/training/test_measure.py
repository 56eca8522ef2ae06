"""Thresholds and rates, by hand."""

import numpy as np

from namewarden.training.measure import (
    auc,
    centre,
    confident,
    family_mean,
    rates,
    temperature,
    thresholds,
)


def test_a_threshold_lets_through_at_most_its_share():
    benign = np.random.default_rng(1).normal(size=100_000)
    limits = thresholds(benign)
    assert limits == sorted(limits)
    for limit, rate in zip(limits, (1e-2, 1e-3, 1e-4), strict=True):
        assert rate * 0.99 <= np.mean(benign >= limit) <= rate


def test_a_confident_threshold_holds_its_share_in_nineteen_of_twenty_draws():
    dice = np.random.default_rng(1)
    beyond = np.array([1 - confident(dice.random(40_000), 1e-3) for _ in range(500)])
    assert 0.93 < np.mean(beyond <= 1e-3) < 0.99
    assert np.mean(beyond) > 0.7e-3  # and gives away no more than it has to


def test_of_too_few_names_none_is_above_a_confident_threshold():
    assert confident(np.arange(9.0), 1e-3) == np.nextafter(8.0, np.inf)


def test_ties_at_the_threshold_all_pass():
    limits = thresholds(np.zeros(1000))
    assert rates(np.zeros(1000), limits) == [0.0, 0.0, 0.0]


def test_every_family_counts_the_same():
    families = {"large": np.full(1000, 5.0), "small": np.array([0.0])}
    assert family_mean(families, [1.0]) == [0.5]


def test_the_centre_undoes_a_weight():
    dice = np.random.default_rng(1)
    bad = np.arange(20_000) % 2 == 0
    logits = np.where(bad, 1.0, -1.0) * 2 + dice.normal(size=20_000) * 2
    true = logits  # equal Gaussians: the log-odds are the number itself
    assert abs(centre(true, bad)) < 0.1
    assert 1.4 < centre(true - 1.5, bad) < 1.6


def test_temperature_undoes_overconfidence():
    dice = np.random.default_rng(1)
    logits = dice.normal(size=20_000) * 2
    bad = dice.random(20_000) < 1 / (1 + np.exp(-logits))
    assert 0.9 < temperature(logits, bad) < 1.1
    assert 1.8 < temperature(logits * 2, bad) < 2.2


def test_area_under_the_curve():
    low, high = np.array([0.0, 1.0]), np.array([2.0, 3.0])
    assert (auc(low, high), auc(high, low), auc(low, low)) == (1.0, 0.0, 0.5)
