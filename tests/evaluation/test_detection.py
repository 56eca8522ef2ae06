"""Families, means and areas, by hand."""

import numpy as np
import pytest

from namewarden.evaluation.answers import Answers
from namewarden.evaluation.detection import families_table, measure, partial_area, show


def answers() -> Answers:
    benign = np.arange(100.0)
    return Answers(
        limits=[10.0, 50.0, 90.0],
        calibration=benign,
        test=benign,
        single=np.array([95.0, 5.0]),
        groups={
            "known": {
                "high": np.full(20, 100.0),
                "suppobox": np.repeat([20.0, 0.0], 10),
                "tiny": np.zeros(2),
            }
        },
    )


def test_every_family_counts_the_same_and_small_ones_not():
    found = measure(answers()).groups["known"]
    assert [it.mean for it in found.means] == [0.75, 0.5, 0.5]
    assert found.families["tiny"].found == [0.0, 0.0, 0.0]
    assert found.worst == "suppobox"


def test_families_of_words_are_a_group_apart():
    found = measure(answers()).groups["known, of words"]
    assert list(found.families) == ["suppobox"]
    assert found.means[0].mean == 0.5


def test_wrongly_found_names_carry_their_interval():
    found = measure(answers())
    assert [it.hits for it in found.benign] == [90, 50, 10]
    assert [it.hits for it in found.single] == [1, 1, 1]
    assert found.benign[2].low < 0.1 < found.benign[2].high


def test_the_partial_area_counts_low_rates_alone():
    benign = np.arange(1000.0)
    assert partial_area(benign, np.array([2000.0])) == pytest.approx(1.0)
    assert partial_area(benign, np.array([0.0])) == 0.0
    assert partial_area(benign, np.array([995.0])) == pytest.approx(0.5)  # five of 1,000 reach it


def test_the_report_says_who_is_in_no_mean_and_how_few_names_there_are():
    found = measure(answers())
    assert "Too few names to be in a mean: tiny (2)." in show(found)
    assert "Fewer than 100,000 names set the thresholds" in show(found)
    assert "| known | tiny | 2 |" in families_table(found.groups)


def test_what_is_blocked_is_by_the_model_s_own_threshold():
    found = measure(answers(), block=95.0)
    assert found.own
    assert [it.hits for it in found.own.benign] == [5, 5, 1]
    assert found.own.families["known"].mean == 0.5
    assert "| known families, mean | 50.0 % (0.0–100.0 %) |" in show(found)
    assert measure(answers()).own is None
