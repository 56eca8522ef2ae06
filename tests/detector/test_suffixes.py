"""The tree says what the package says, for every rule it has and for many names."""

import gzip
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publicsuffixlist import PSLFILE, PublicSuffixList

from namewarden.detector.suffixes import Suffixes
from tests.shared_data import shared

ICANN = PublicSuffixList(only_icann=True, accept_unknown=False)
EVERY = PublicSuffixList(accept_unknown=False)
SUFFIXES = Suffixes(["ddns.net", "go.dyndns.org", "co.uk"])


def told(name):
    """(ICANN, all rules) by the package."""
    return tuple(
        suffix.count(".") + 1 if suffix else 0
        for suffix in (ICANN.publicsuffix(name), EVERY.publicsuffix(name))
    )


def rules():
    with open(PSLFILE, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("//"):
                yield line.split()[0].lower()


def around(rule):
    """Names above, at and below the end of a rule, also as they are written in DNS."""
    bare = rule.lstrip("!").removeprefix("*.")
    written = {bare, bare.encode("idna").decode()}
    for name in written:
        parent = name.partition(".")[2]
        yield from (name, f"a.{name}", f"b.a.{name}", f"c.b.a.{name}", f"*.{name}", f"x.*.{name}")
        if parent:
            yield from (parent, f"other.{parent}", f"a.other.{parent}")


def test_every_rule_of_the_list():
    count = 0
    for rule in rules():
        for name in around(rule):
            assert SUFFIXES.of(name.split("."))[:2] == told(name), name
            count += 1
    assert count > 50_000


def test_names_made_of_the_labels_of_rules():
    """Rules overlap: exceptions below wildcards, private below ICANN suffixes."""
    dice = random.Random(5)
    parts = sorted({label for rule in rules() for label in rule.lstrip("!").split(".")})
    tops = sorted({rule.lstrip("!").rpartition(".")[2] for rule in rules()})
    for _ in range(50_000):
        labels = [*dice.choices(parts, k=dice.randint(0, 4)), dice.choice(tops)]
        assert SUFFIXES.of(labels)[:2] == told(".".join(labels)), labels


@given(st.lists(st.text("abcjpkckuo*!-_é", min_size=1, max_size=3), min_size=1, max_size=9))
def test_any_labels(labels):
    assert SUFFIXES.of([each.lower() for each in labels])[:2] == told(".".join(labels))


def test_real_names():
    with gzip.open(shared("benign/tranco_1m_2025-01-15.txt.gz"), "rt") as file:
        for number, line in enumerate(file):
            if number % 20 == 0:
                assert SUFFIXES.of(line.split()[0].split("."))[:2] == told(line.strip()), line


@pytest.mark.parametrize(
    ("name", "depth"),
    [("ddns.net", 2), ("a.b.ddns.net", 2), ("x.go.dyndns.org", 3), ("dyndns.org", 0), ("net", 0), ("a.co.uk", 2)],
)  # fmt: skip
def test_dynamic_suffixes_lie_beside(name, depth):
    assert SUFFIXES.of(name.split("."))[2] == depth


def test_providers_below_each_other_and_at_rules():
    """Leaves share a node with their neighbours until something of their own is said of them."""
    names = ["a.com", "b.com", "x.b.com", "co.uk", "com.de", "y.com.de", "c.com", "a.com"]
    for order in (names, names[::-1]):
        found = Suffixes(order)
        for name, dynamic in (
            ("a.com", 2), ("z.a.com", 2), ("b.com", 2), ("z.b.com", 2), ("z.x.b.com", 3),
            ("d.com", 0), ("x.c.com", 2), ("a.co.uk", 2), ("z.y.com.de", 3), ("z.com.de", 2), ("z.de", 0),
        ):  # fmt: skip
            assert found.of(name.split(".")) == (*told(name), dynamic), name
