"""Which version a change is based on."""

import pytest

from namewarden.hub.gate import ApiError
from namewarden.hub.version import expected_version


@pytest.mark.parametrize(
    ("header", "field", "default", "expected"),
    [
        (None, None, None, None), (None, None, 0, 0), (None, 7, 0, 7), ('"12"', None, 0, 12),
        ('W/"12"', 7, 0, 12), ("12", None, 0, 12), ("*", 7, 0, None),
    ],
)  # fmt: skip
def test_the_header_wins_over_the_field_over_the_default(
    header: str | None, field: int | None, default: int | None, expected: int | None
) -> None:
    assert expected_version(header, field, default) == expected


@pytest.mark.parametrize("header", ['"abc"', "", '"-1"', "9" * 30])
def test_an_odd_header_is_refused(header: str) -> None:
    with pytest.raises(ApiError):
        expected_version(header, None, None)
