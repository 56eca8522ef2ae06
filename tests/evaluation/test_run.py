"""All parts are measured, in their order, of anything that judges labels."""

import msgspec

from namewarden.evaluation import run
from namewarden.evaluation.names import without_lists
from namewarden.evaluation.subject import Subject
from tests.evaluation.figure import ABOUT, measured
from tests.evaluation.small import corpus, lengths


def test_a_judge_is_enough_to_be_measured():
    found = measured()
    assert found.detection.groups["unseen"].families["tinba"].names == 12
    assert found.bias.probes["top-level domain"] is None
    assert found.families is None and found.network == []
    assert found.calibration.coverage[0].names == 25


def test_each_part_is_told_before_it_begins():
    told: list[str] = []
    subject = Subject("x", "x", "", lengths, lengths)
    run.evaluate(subject, corpus(), without_lists(), ABOUT, run.QUICK, told.append)
    assert told[0] == "speed" and told[-1] == "families" and len(told) == run.PARTS


def test_families_are_measured_of_a_model_that_names_them():
    subject = Subject(
        "x",
        "x",
        "",
        lengths,
        lengths,
        guess=lambda labels: (["gozi"] * len(labels), lengths(labels), -lengths(labels)),
    )
    found = run.evaluate(subject, corpus(), without_lists(), ABOUT, run.QUICK, lambda what: None)
    assert found.families and found.families.macro_all == 0.0


def test_attacks_can_be_left_away():
    subject = Subject("x", "x", "", lengths, lengths)
    options = msgspec.structs.replace(run.QUICK, attacks=False)
    found = run.evaluate(subject, corpus(), without_lists(), ABOUT, options, lambda what: None)
    assert found.attacks is None and measured().attacks


def test_they_are_asked_about_with_the_suffix_where_the_lists_have_it():
    asked: list[str] = []

    def guess(names):
        asked.extend(names)
        return ["" for _ in names], lengths(names), lengths(names)

    family = corpus().known["test"]["locky_v2"]
    names = msgspec.structs.replace(
        without_lists(), generated={"locky_v2": [f"{label}.co.uk" for label in family]}
    )
    subject = Subject("x", "x", "", lengths, lengths, guess=guess)
    found = run.evaluate(subject, corpus(), names, ABOUT, run.QUICK, lambda what: None)
    assert found.families and found.families.whole == len(family)
    assert {f"{label}.co.uk" for label in family} <= set(asked)
    assert set(found.families.unknown_of) == {"chosen by", "unseen"}
