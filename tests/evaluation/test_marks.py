"""Marks are judged by what was measured, and what was not is neither reached nor missed."""

import msgspec

from namewarden.evaluation.families import Found as Families
from namewarden.evaluation.marks import judge, show
from tests.evaluation.figure import measured


def test_marks():
    found = measured()
    marks = {mark.what: mark for mark in judge(found)}
    assert marks["unseen families, found at 1e-2"].reached is True
    assert marks["of the 10,000 most popular, blocked"].measured == "1"
    assert marks["macro-F1 of the family named"].reached is None
    assert marks["packaged, bytes"].reached is None
    assert "| not measured | – |" in show(judge(found))
    named = msgspec.structs.replace(found, families=Families(2, 0.7, 0.9, 0.95, {}))
    marks = {mark.what: mark for mark in judge(named)}
    assert marks["macro-F1 of the family named"].reached is False
    assert marks["AUROC of unknown"].reached is True
