"""Names: octets to escaped text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.wire.errors import WireError
from namewarden.wire.names import from_wire, labels_of, skip, to_wire

LABELS = st.lists(st.binary(min_size=1, max_size=63), min_size=0, max_size=6).filter(
    lambda labels: sum(map(len, labels)) + len(labels) + 1 <= 255
)


def wire(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x03WWW\x07exAmple\x03org\0", "www.example.org."),
        (b"\0", "."),
        (b"\x05_dmarc"[:1] + b"_dmar\0", "_dmar."),
        (b"\x08<script>\x03org\0", "\\060script\\062.org."),
        (b"\x03a.b\x03org\0", "a\\046b.org."),
        (b"\x02\\\n\0", "\\092\\010."),
        (b"\x02\xc3\xbc\0", "\\195\\188."),
    ],
)
def test_octets_become_lower_case_escaped_text(octets, text):
    assert from_wire(octets, 0) == (text, len(octets))
    assert to_wire(text) == octets.lower()


@given(LABELS)
def test_every_name_comes_back(labels):
    name, end = from_wire(wire(labels), 0)
    assert end == len(wire(labels))
    assert to_wire(name) == wire(labels).lower()
    assert labels_of(name) == [label.lower() for label in labels]
    assert name.isascii() and name.isprintable() and "<" not in name and '"' not in name


@given(st.binary(max_size=600), st.integers(0, 40))
def test_junk_is_a_name_or_a_wire_error(data, offset):
    try:
        name, end = from_wire(data, offset)
    except WireError:
        return
    assert offset < end <= len(data) and len(name) <= 1017


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x03ab", b"\xc0\x00", b"\x01a\xc0\x05\0\0", b"\x41" + b"a" * 65 + b"\0", b"\x01a\xc0\x02",
     (b"\x3f" + b"a" * 63) * 4 + b"\0", b"\x01a\xc0"],
)  # fmt: skip
def test_bad_names_are_refused(octets):
    with pytest.raises(WireError):
        from_wire(octets, 0)


def test_a_pointer_back_is_followed_and_skip_only_steps_over_it():
    data = b"\x03org\0\x03www\xc0\x00rest"
    assert from_wire(data, 5) == ("www.org.", 11)
    assert skip(data, 5) == 11


@pytest.mark.parametrize(
    "text", ["a..b.", ".a.", "\\999.org.", "\\1.", "é.org.", "a" * 64 + ".org.", "a." * 130]
)
def test_text_that_is_no_name_is_refused(text):
    with pytest.raises(WireError):
        to_wire(text)
