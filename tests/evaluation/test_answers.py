"""Each label is asked about once, families at even distances."""

from namewarden.evaluation.answers import CHOSEN, FED, KNOWN, UNSEEN, ask, families_of
from namewarden.training.measure import sample
from tests.evaluation.small import corpus, lengths


def test_a_sample_is_spread_over_the_whole_list():
    assert sample(list("abcdefghi"), 3) == ["a", "e", "i"]
    assert sample(["a", "b"], 5) == ["a", "b"]


def test_groups_are_what_the_model_knew_of_a_family():
    groups = families_of(corpus(), 5)
    assert list(groups) == [KNOWN, CHOSEN, UNSEEN, FED]
    assert [len(labels) for labels in groups[UNSEEN].values()] == [1, 5]


def test_the_thresholds_are_of_the_calibration_names():
    told: list[str] = []
    answers = ask(lengths, corpus(), 5, told.append)
    assert answers.limits[0] > max(answers.calibration)
    assert told[0] == "benign names" and len(told) == 5
    assert answers.groups[UNSEEN]["few"].tolist() == [10.0]
