"""The search finds the highest rate that passes, in few steps."""

import pytest

from bench.new_names import NEAR, Step, capacity, search


@pytest.mark.parametrize("most", [1_000, 1_900, 5_000, 15_700, 21_333])
def test_the_rate_found_is_near_the_highest_that_passes(most):
    steps = search(lambda rate: _step(rate, most), 1_000, 21_333)
    assert capacity(steps) <= most <= capacity(steps) * NEAR
    assert len(steps) <= 11


def test_nothing_is_asked_beyond_what_the_load_can_do():
    steps = search(lambda rate: _step(rate, 1e9), 1_000, 5_000)
    assert capacity(steps) == steps[-1].rate == 5_000


def test_what_does_not_keep_up_with_the_first_rate_has_none():
    steps = search(lambda rate: _step(rate, 0), 1_000, 5_000)
    assert capacity(steps) == 0 and len(steps) == 1


@pytest.mark.parametrize(
    "step",
    [
        Step(1, 0.998, 0.001, 0.002),
        Step(1, 1.0, 0.001, 0.011),
        Step(1, 1.0, 0.001, 0.002, late=1),
        Step(1, 1.0, 0.001, 0.002, dropped=1),
    ],
)
def test_what_keeps_a_rate_from_passing(step):
    assert not step.passed
    assert Step(1, 0.999, 0.001, 0.010).passed


def _step(rate, most):
    return Step(rate, 1.0, 0.001, 0.002 if rate <= most else 2.0)
