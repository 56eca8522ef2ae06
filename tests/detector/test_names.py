"""Names of any kind: as the detector reads them, or no name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.detector.names import normal

LABELS = Labels(["ddns.net"])
LONGEST = ".".join(["a" * 63] * 3 + ["b" * 57, "org"])  # 253 octets


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("example.org", "example.org."),
        ("Example.ORG.", "example.org."),
        ("  example.org\t", "example.org."),
        ("bücher.example.org", "xn--bcher-kva.example.org."),
        ("BÜCHER.example.org.", "xn--bcher-kva.example.org."),
        ("faß.example.org", "xn--fa-hia.example.org."),
        ("日本語。jp", "xn--wgv71a119e.jp."),
        ("xn--bcher-kva.org", "xn--bcher-kva.org."),
        ("_dmarc._x.example.org", "_dmarc._x.example.org."),
        ("123.456", "123.456."),
        ("0" * 63 + ".org", "0" * 63 + ".org."),
        ("a\\000b.org", "a\\000b.org."),
        ("*.example.org", "*.example.org."),
        (LONGEST, LONGEST + "."),
        (LONGEST + ".", LONGEST + "."),
    ],
)
def test_names(given, name):
    assert normal(given) == name


@pytest.mark.parametrize(
    "given",
    [
        "", ".", "..", " ", "a..org", ".org", "a.org..", "two words.org", "a\tb.org", "\x00.org", "a\x00b.org",
        "\x1b[31mred.org", "a\x7f.org", "x" * 64 + ".org", LONGEST + "a", "a." + LONGEST, "a." * 130 + "org",
        "bü cher.org", "ü" * 60 + ".org", "ü" * 300, "\ud800.org", "�.org", "a\u200bb.org" * 40, "xn--ü.org",
    ],
)  # fmt: skip
def test_what_is_no_name(given):
    assert normal(given) is None


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_not(given):
    name = normal(given)
    if name is not None:
        assert name.isascii() and name.isprintable() and name == name.lower() and " " not in name
        assert len(name) <= 254 and all(0 < len(part) <= 63 for part in name[:-1].split("."))
        assert normal(name) == name
        assert isinstance(LABELS.find(name), Scorable | Unscored)


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("bücher.org", "xn--bcher-kva"),
        ("www.EXAMPLE.org", "example"),
        ("0123456789.org", "0123456789"),
        ("a_b.org", "a_b"),
        (LONGEST, "b" * 57),
        ("x.\\000.example.org", "example"),
    ],
)
def test_what_is_judged_of_them(given, label):
    what = LABELS.find(normal(given) or "")
    assert isinstance(what, Scorable) and what.label == label
