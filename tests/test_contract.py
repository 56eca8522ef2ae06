"""`contract/*.json` is what Python does: the same words, and every golden case replayed."""

import msgspec
import pytest

from namewarden.net.verdict_form import (
    GivenAnswer,
    ShownAnswer,
    VerdictQuery,
    VerdictReply,
    VerdictRequest,
    to_answer,
    to_query,
)
from namewarden.wire import sections
from tests import contract

FOUND = contract.read()
ANSWERS = contract.read("answers")


def test_the_words_are_those_of_query_py():
    assert FOUND["words"] == contract.words()


def test_the_fields_are_those_of_the_verdict_api():
    kinds = {
        "query": VerdictQuery,
        "given_answer": GivenAnswer,
        "verdict": VerdictReply,
        "denial": ShownAnswer,
    }
    assert FOUND["fields"] == {name: list(kind.__struct_fields__) for name, kind in kinds.items()}


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


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    policy = contract.policy_of(ANSWERS["policy"], tmp_path_factory.mktemp("policy"))
    return contract.stages_of(policy)


@pytest.mark.parametrize("case", ANSWERS["cases"], ids=lambda case: case["case"])
async def test_an_answer_is_judged_as_stated(case, stages):
    asked = msgspec.convert({**case["query"], "answer": case["answer"]}, VerdictQuery)
    query = to_query(0, asked, str, 0.0)
    assert asked.answer is not None
    answer = await contract.answer_judged(stages, query, to_answer(0, asked.answer, str))
    says, answered = contract.said(query, answer)
    assert says == case["says"]
    assert answered == case["answered"]


@pytest.mark.parametrize("case", ANSWERS["cases"], ids=lambda case: case["case"])
async def test_a_resolver_of_ours_judges_the_same_records_alike(case, stages):
    query = to_query(0, msgspec.convert(case["query"], VerdictQuery), str, 0.0)
    below = contract.upstreams_answer(query, case["records"])
    given = case["answer"]
    assert list(below.cnames) == given["names"]
    assert sorted(below.targets) == sorted(given["targets"])
    message = sections.message_of(query, below)
    assert message is not None
    assert sorted(sections.addresses(message)) == sorted(
        given["addresses"]
    )  # dnspython writes records in any order
    says, _ = contract.said(query, await contract.answer_judged(stages, query, below))
    assert says == case["says"]


def test_the_request_is_one():
    assert msgspec.convert(ANSWERS["request"], VerdictRequest, strict=True)
    assert msgspec.convert(FOUND["request"], VerdictRequest, strict=True)
