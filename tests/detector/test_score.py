"""Every scorer we have passes the one conformance suite."""

import pytest

from namewarden.detector.model import Model
from tests.detector.conformance import check
from tests.detector.scorers import Lengths, score_of


def test_the_packaged_model_conforms():
    check(Model())


def test_the_suite_finds_a_scorer_that_depends_on_company():
    class Company(Lengths):
        def score_batch(self, labels):
            scores = super().score_batch(labels)
            return (
                scores
                if len(labels) > 1
                else super().score_batch([label + "x" for label in labels])
            )

    try:
        check(Company())
    except AssertionError:
        return
    raise AssertionError("the suite let it pass")


def test_the_suite_finds_a_scorer_that_judges_the_suffix():
    class Peeking(Lengths):
        def score_batch(self, names):
            return [score_of(len(name) / 10 - 1.5) for name in names]

    with pytest.raises(AssertionError, match="the suffix is judged"):
        check(Peeking())
