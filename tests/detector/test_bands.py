"""Logit to probability and band: order kept, no ties at the top, thresholds as stated."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.detector.bands import (
    CALM,
    ROOM,
    Thresholds,
    band_of,
    bands_of,
    probability,
    settle,
    settle_all,
)

LIMITS = Thresholds(1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("logit", "band", "in_burst"),
    [
        (-3.0, "benign", "benign"),
        (0.999, "benign", "benign"),
        (1.0, "benign", "uncertain"),
        (1.999, "benign", "uncertain"),
        (2.0, "uncertain", "malicious"),
        (3.999, "uncertain", "malicious"),
        (4.0, "malicious", "malicious"),
    ],
)
def test_bands_begin_at_their_threshold(logit, band, in_burst):
    assert band_of(logit, LIMITS) == band
    assert band_of(logit, LIMITS, burst=True) == in_burst


def test_the_most_certain_names_keep_their_order():
    raw = [at / 100 for at in range(-6000, 6001)]
    settled = [settle(value, 1.0) for value in raw]
    assert settled == sorted(set(settled))
    top = [probability(value) for value in settled]
    assert top == sorted(set(top))
    assert 0.0 < top[0] and top[-1] < 1.0


@given(st.floats(-1e30, 1e30), st.floats(0.2, 5.0))
def test_settled_logits_are_bounded_and_symmetric(raw, temperature):
    settled = settle(raw, temperature)
    assert abs(settled) <= CALM + ROOM
    assert settle(-raw, temperature) == -settled


def test_calm_logits_are_only_divided():
    assert settle(3.0, 2.0) == 1.5
    assert math.isclose(probability(0.0), 0.5)
    assert math.isclose(probability(math.log(9)), 0.9)


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=40), st.floats(0.2, 5.0))
def test_many_at_once_are_settled_to_the_last_bit_as_one_is(raw, temperature):
    many = settle_all(np.array(raw, np.float64), temperature)
    assert many.tolist() == [settle(value, temperature) for value in raw]


def test_many_at_once_have_the_bands_of_one():
    logits = np.array([*np.linspace(-5, 6, 1101), *(np.nextafter(x, 0) for x in (1.0, 2.0, 4.0))])
    assert bands_of(logits, LIMITS) == [band_of(value, LIMITS) for value in logits.tolist()]
