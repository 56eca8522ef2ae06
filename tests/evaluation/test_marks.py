"""Marks are judged by what was measured, and what was not is neither reached nor missed."""

import msgspec

from namewarden.evaluation import compare
from namewarden.evaluation.answers import UNSEEN
from namewarden.evaluation.families import FamilyNaming
from namewarden.evaluation.held_out import pick
from namewarden.evaluation.intervals import share_of
from namewarden.evaluation.marks import BEATEN, WITHOUT, judge, show
from namewarden.evaluation.seed_task import BY_DOMAIN, IN_ORDER, OURS, RANDOM, SEED, Result
from tests.evaluation.figure import measured, named


def test_marks():
    found = measured()
    marks = {mark.what: mark for mark in judge(found)}
    assert marks["unseen families, found at 1e-2"].reached is True
    assert marks["of the 10,000 most popular, blocked"].measured == "1"
    assert marks["macro-F1 of the family named"].reached is None
    assert marks["packaged, bytes"].reached is None
    assert "| not measured | – |" in show(judge(found))
    named = msgspec.structs.replace(found, families=FamilyNaming(2, 0.7, 0.9, 0.95, {}))
    marks = {mark.what: mark for mark in judge(named)}
    assert marks["macro-F1 of the family named"].reached is False
    assert marks["AUROC of unknown"].reached is True


def test_what_the_model_has_seen_is_judged_by_its_recipe_without_it():
    found = measured()
    held = pick([named(found, "recipe-own")])
    known = {
        name: group for name, group in found.detection.groups.items() if not name.startswith(UNSEEN)
    }
    detection = msgspec.structs.replace(found.detection, groups=known)
    marks = {
        mark.what: mark
        for mark in judge(msgspec.structs.replace(found, detection=detection, held=held))
    }
    assert marks[f"unseen families, found at 1e-3{WITHOUT}"].reached is True
    assert marks[f"AUROC of unknown{WITHOUT}"].reached is None
    marks = {mark.what: mark for mark in judge(msgspec.structs.replace(found, detection=detection))}
    assert marks["unseen families, found at 1e-3"].reached is None


def test_every_difference_must_be_sure():
    found = measured()
    same = compare.measure(found, [named(found, "recipe-y", title="y", recipe="y")])
    mark = next(
        it for it in judge(msgspec.structs.replace(found, beside=same)) if BEATEN in it.what
    )
    assert mark.what.endswith("(model of lengths, quick run)")
    assert mark.measured == "0 of 6 differences" and mark.reached is False
    assert next(it for it in judge(found) if BEATEN in it.what).reached is None


def test_the_seeds_own_task():
    results = [
        Result(who, split, *[share_of(hits, 100)] * 4)
        for split, who, hits in (
            (IN_ORDER, SEED, 97),
            (RANDOM, SEED, 80),
            (RANDOM, OURS, 90),
            (BY_DOMAIN, SEED, 80),
            (BY_DOMAIN, OURS, 82),
        )
    ]
    marks = judge(msgspec.structs.replace(measured(), seed_task=results))[-3:]
    assert [mark.reached for mark in marks] == [True, True, False]
    assert marks[0].measured == "97.0 % (91.5–99.4 %)" and marks[1].measured == "+10.0 points"
    assert [mark.reached for mark in judge(measured())[-3:]] == [None] * 3
