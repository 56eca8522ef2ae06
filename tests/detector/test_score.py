"""Every scorer we have passes the one conformance suite."""

from namewarden.detector.model import Model
from tests.detector.conformance import check
from tests.detector.scorers import Lengths


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
