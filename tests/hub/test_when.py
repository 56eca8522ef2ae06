"""Times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.hub.when import duration, moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), ("7d", 604_800), (" 2w ", 1_209_600)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("10m", 400.0),
        ("12.5", 12.5),
        ("1970-01-01T00:01:00Z", 60.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-02", 86_400.0),
    ],
)
def test_moments(text: str, at: float) -> None:
    assert moment(text, 1000.0) == at


@given(st.text(max_size=30))
def test_everything_else_is_a_value_error(text: str) -> None:
    for read in (duration, lambda t: moment(t, 0.0)):
        try:
            read(text)
        except ValueError:
            pass


@pytest.mark.parametrize("text", ["", "10", "1y", "-5m", "1e3s", "99999999999s"])
def test_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="such as"):
        duration(text)


@pytest.mark.parametrize("text", ["yesterday", "nan", "inf", "2026-13-01"])
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text, 0.0)
