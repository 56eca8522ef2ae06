"""Known values of the exact interval, and means that a glance can check."""

import numpy as np
import pytest

from namewarden.evaluation.intervals import clopper_pearson, mean_of, share, share_of


@pytest.mark.parametrize(
    ("hits", "names", "low", "high"),
    [
        (0, 10, 0.0, 0.3084971),  # 1 - 0.025 ** (1 / 10)
        (10, 10, 0.6915029, 1.0),
        (5, 10, 0.1870860, 0.8129140),
        (1, 100, 0.0002531460, 0.05445939),
        (10, 100_000, 0.00004795495, 0.0001838962),
        (0, 0, 0.0, 1.0),
    ],
)
def test_the_exact_interval(hits, names, low, high):
    assert clopper_pearson(hits, names) == pytest.approx((low, high), rel=1e-5)


def test_the_interval_holds_the_share_and_shrinks_with_names():
    few, many = share_of(3, 30), share_of(300, 3000)
    assert few.low < few.rate == many.rate < few.high
    assert many.high - many.low < few.high - few.low


def test_a_share_counts_what_is_true():
    found = share(np.array([True, False, True, False]))
    assert (found.hits, found.names, found.rate) == (2, 4, 0.5)


def test_families_that_agree_leave_no_doubt_and_others_do():
    (same,) = mean_of(np.array([[0.5], [0.5], [0.5]]))
    assert (same.mean, same.low, same.high) == (0.5, 0.5, 0.5)
    (apart,) = mean_of(np.array([[0.0], [1.0]]))
    assert (apart.mean, apart.low, apart.high) == (0.5, 0.0, 1.0)


def test_one_input_gives_one_interval():
    families = np.random.default_rng(1).random((20, 3))
    assert mean_of(families) == mean_of(families)
