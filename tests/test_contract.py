"""`contract/verdict.json` is what Python does: the same words, and every golden case replayed."""

import pytest

from tests import contract

FOUND = contract.read()


def test_the_words_are_those_of_query_py():
    assert FOUND["words"] == contract.words()


@pytest.mark.parametrize("case", FOUND["judge"], ids=lambda case: case["case"])
def test_facts_give_the_verdict(case):
    assert contract.judged({**FOUND["facts"], **case["facts"]}) == case["verdict"]


@pytest.mark.parametrize("case", FOUND["api"], ids=lambda case: case["case"])
def test_verdicts_go_out_and_are_answered_as_stated(case):
    says, answered = contract.replied(case)
    assert says == case["says"]
    assert answered == case["answered"]


def test_every_word_of_the_model_has_a_case():
    reasons = {case["verdict"]["reason"] for case in FOUND["judge"]}
    assert reasons >= {word for word in FOUND["words"]["reasons"] if word.startswith("model_")}
    assert reasons >= {"unscored", "guard", "private_suffix"}
    actions = {case["verdict"]["action"] for case in FOUND["judge"]}
    assert actions == set(FOUND["words"]["actions"])
    modes = {case["verdict"]["mode"] for case in FOUND["api"] if case["verdict"].get("mode")}
    assert modes == set(FOUND["words"]["block_modes"])
