"""How likely a generator's names stand under a suffix, by hand."""

import math

import msgspec
import pytest

from namewarden.training.suffixes import family_suffixes, shares
from tests.training.small import corpus


def test_shares_are_smoothed_over_all_suffixes_and_one_more():
    found = shares({"a": {"com": 3, "org": 1}, "b": {"ddns.net": 1}})
    assert found["a"] == pytest.approx(
        {"com": math.log(3.5 / 6), "org": math.log(1.5 / 6), "": math.log(0.5 / 6)}, abs=1e-3
    )
    assert found["b"] == pytest.approx({"ddns.net": math.log(0.5), "": math.log(1 / 6)}, abs=1e-3)
    assert found["unknown"] == {"": round(math.log(1 / 4), 3)}


def test_the_shares_of_all_suffixes_and_of_every_other_are_one():
    counts = {"a": {"com": 30, "org": 1}, "b": {"ddns.net": 1}, "c": {}}
    every = ["com", "org", "ddns.net", ""]
    for found in shares(counts).values():
        assert sum(math.exp(found.get(suffix, found[""])) for suffix in every) == pytest.approx(
            1, abs=1e-3
        )


def test_shares_are_logarithms_of_three_digits():
    found = shares({"a": {"com": 10_000_000}})
    assert found["a"]["com"] == 0.0
    assert all(
        share <= 0 and round(share, 3) == share for one in found.values() for share in one.values()
    )


def test_families_of_one_generator_are_counted_together():
    counted = {"kraken_v1": {"com": 2}, "kraken_v2": {"com": 1, "net": 1}, "tinba": {"org": 1}}
    found = family_suffixes(msgspec.structs.replace(corpus(), suffixes=counted))
    assert found == shares({"kraken": {"com": 3, "net": 1}, "tinba": {"org": 1}})


def test_a_corpus_without_suffixes_has_nothing_to_say():
    assert family_suffixes(corpus()) == {}
