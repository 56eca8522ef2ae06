"""Which texts are names, and what a name's suffixes are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.ORG", "example.org."),
        ("example.org.", "example.org."),
        ("_dmarc.example.org", "_dmarc.example.org."),
        ("bücher.example", "xn--bcher-kva.example."),
        ("xn--bcher-kva.example", "xn--bcher-kva.example."),
        ("test", "test."),
        ("a" * 63 + ".test", "a" * 63 + ".test."),
        ("a" * 64 + ".test", None),
        (".".join(["a" * 49] * 5), ".".join(["a" * 49] * 5) + "."),
        (".".join(["a" * 50] * 5), None),
        ("", None),
        (".", None),
        ("a..test", None),
        ("192.0.2.1", None),
        ("60", None),
        ("a b.test", None),
        ("a*.test", None),
        ("exa\u2028mple.test", None),
        ("\ud83d\ude00" * 100 + ".test", None),
    ],
)
def test_names_of_lists(text, name):
    assert names.listed(text) == name


def test_suffixes_begin_with_the_name():
    assert names.suffixes("www.example.org.") == ["www.example.org.", "example.org.", "org."]
    assert names.suffixes(".") == []


def test_escaped_dots_belong_to_their_label():
    assert names.suffixes(r"a\.b.test.") == [r"a\.b.test.", "test."]
    assert names.suffixes(r"a\046b.test.") == [r"a\046b.test.", "test."]
    assert names.suffixes(r"a\\.test.") == [r"a\\.test.", "test."]


@given(st.text())
def test_no_text_breaks_it(text):
    name = names.listed(text)
    assert name is None or name.isascii() and name.endswith(".") and names.listed(name) == name
