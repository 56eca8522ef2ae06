"""Probes and matching, by hand."""

import numpy as np
import pytest

from namewarden.evaluation.bias import match, measure, probe, show, weigh, weighted_thresholds
from namewarden.evaluation.names import Tlds
from namewarden.training.measure import thresholds
from tests.evaluation.small import lengths


def test_a_probe_that_knows_everything_and_one_that_knows_nothing():
    apart = [{"3": 100}, {"9": 100}]
    assert probe(apart, apart) == 1.0
    same = [{"3": 50, "9": 50}] * 2
    assert probe(same, same) == 0.5


def test_what_was_learned_counts_not_what_is_tested():
    assert probe([{"3": 100}, {"9": 100}], [{"9": 10}, {"3": 10}]) == 0.0


def test_benign_names_weigh_as_generated_ones_are_spread():
    weights, lonely = weigh([3, 3, 9], [9, 9, 9, 3, 20])
    assert weights.tolist() == [0.5, 0.5, 3.0]
    assert lonely == 0.2


def test_equal_weights_give_the_thresholds_of_training():
    said = np.random.default_rng(1).normal(size=20_000)
    assert weighted_thresholds(said, np.ones(len(said))) == thresholds(said)


def test_a_name_without_weight_sets_no_threshold():
    limits = weighted_thresholds(np.array([1.0, 9.0]), np.array([1.0, 0.0]))
    assert limits[0] == np.nextafter(1.0, np.inf)


def test_what_only_length_tells_is_not_found_at_matched_thresholds():
    benign = ["a" * 5] * 500 + ["b" * 20] * 5
    families = {"long": ["x" * 20] * 10}
    said = {"long": lengths(families["long"])}
    found = match(len, (benign, lengths(benign)), {"known": (families, said)})
    assert found and found.means["known"][0].mean == 0.0
    assert (found.effective, found.uncovered) == (5.0, 0.0)


def test_families_of_few_names_are_in_no_mean():
    """As in the means that these are compared with."""
    benign = ["a" * 5] * 500 + ["b" * 20] * 5
    families = {"long": ["x" * 20] * 10, "few": ["x" * 30]}
    said = {family: lengths(labels) for family, labels in families.items()}
    found = match(len, (benign, lengths(benign)), {"known": (families, said)})
    assert found and found.means["known"][0].mean == 0.0


def test_every_property_is_probed_and_matched():
    benign, bad = ["abc", "abcd"] * 10, ["abcdefgh1"] * 10
    tlds = Tlds({"train": {"org": 9}, "test": {"org": 9}}, {"train": {"cc": 9}, "test": {"cc": 9}})
    found = measure(
        (benign, bad), (benign, bad), tlds, (benign, lengths(benign)),
        {"known": ({"f": bad}, {"f": lengths(bad)})},
    )  # fmt: skip
    assert found.probes["length"] == found.probes["top-level domain"] == 1.0
    assert found.probes["hyphens"] == 0.5
    assert found.matched["hyphens"].means["known"][0].mean == pytest.approx(1.0)
    assert "length 1.000" in show(found)
    assert "length" not in found.matched  # no benign name is so long
