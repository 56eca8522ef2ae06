"""Reads `contract/*.json` and turns the stated facts into ours."""

import json
from pathlib import Path
from typing import Any, get_args

import dns.message
import dns.zonefile
import msgspec

from namewarden import query as nouns
from namewarden.chain import Stages, judging_answer
from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Scorable, Unscored
from namewarden.net.verdict_form import to_reply
from namewarden.policy.decide import Policy
from namewarden.policy.spec import RuleSpec
from namewarden.query import Answer, Handler, Query, Score, Verdict
from namewarden.stages import own
from namewarden.stages.block import blocked
from namewarden.stages.groups import groups
from namewarden.stages.guard import Faults, guard
from namewarden.stages.lists import lists
from namewarden.stages.local import LocalNames, local
from namewarden.stages.rebinding import rebinding
from namewarden.stages.screen import screen
from namewarden.wire import answers, names
from namewarden.wire.received import receive
from namewarden.wire.types import type_name, type_number
from tests.policy.made import ruled, snapshot_of

CONTRACT = Path(__file__).parent.parent / "contract"


def read(name: str = "verdict") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTRACT / f"{name}.json").read_text())
    return found


def words() -> dict[str, list[str]]:
    """The words of query.py, in its order."""
    return {
        "actions": list(get_args(nouns.Action)),
        "reasons": list(get_args(nouns.Reason)),
        "bands": list(get_args(nouns.Band)),
        "statuses": list(get_args(nouns.Status)),
        "block_modes": list(get_args(nouns.BlockMode)),
        "model_modes": list(get_args(nouns.ModelMode)),
    }


def judged(facts: dict[str, Any]) -> dict[str, Any]:
    """The verdict for stated facts, without the fields that say nothing."""
    limits = Thresholds(*facts["thresholds"])
    what = (
        Unscored(facts["unscored"])
        if "unscored" in facts
        else Scorable("label", facts["suffix"], "label.test", "label.test")
    )
    logit = facts.get("logit")
    score = None
    if logit is not None:
        score = Score(probability(logit), logit, band_of(logit, limits), "", facts["model"])
    model_policy = msgspec.convert(facts.get("model_policy", {}), ModelPolicy)
    verdict = judge(what, score, limits, model_policy, facts.get("guarded", False))
    blank = _plain(Verdict("allow", "none"))
    return {
        key: value
        for key, value in _plain(verdict).items()
        if value != blank[key] or key in ("action", "reason")
    }


def replied(case: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | str]:
    """A case of the API: (what the API says, what a DNS listener does with it)."""
    asked = case["query"]
    qtype = type_number(asked["qtype"])
    question = names.to_wire(asked["name"]) + qtype.to_bytes(2, "big") + b"\0\1"
    query = Query(0, asked["name"], qtype, asked["client"], "api", 0.0, question, payload=1232)
    verdict = msgspec.convert(case["verdict"], Verdict) if case["verdict"] else None
    if verdict is None or verdict.action in ("allow", "flag", "review"):
        answer = Answer(0, verdict=verdict)
        return _plain(to_reply("id", query, answer, 0.0)), "next"
    answer = blocked(query, verdict)
    return _plain(to_reply("id", query, answer, 0.0)), _answered(query, answer)


def policy_of(stated: dict[str, Any], folder: Path) -> Policy:
    rules = msgspec.convert([tuple(each[key] for key in ("id", "name", "effect", "match"))
                             for each in stated["rules"]], list[RuleSpec])  # fmt: skip
    return Policy(snapshot_of(folder, stated["lists"]), ruled(rules))


def stages_of(policy: Policy) -> Stages:
    """Those that judge an answer; nothing else is reached."""

    async def never(query: Query, following: Handler = nobody) -> Answer:
        raise AssertionError("not reached")

    def current() -> Policy:
        return policy

    return Stages(
        guard=guard(Faults()),
        groups=groups(current),
        record=never,
        limit=never,
        local=local(LocalNames(own.read(()), ())),
        rebinding=rebinding("flag", lambda query: False, blocked),
        lists=lists(current, blocked, lambda now: now),
        verdict=never,
        screen=screen(current, blocked, lambda now: now),
        cache=never,
        forward=never,
    )


async def nobody(query: Query) -> Answer:
    raise AssertionError("nobody is asked")


async def answer_judged(stages: Stages, query: Query, given: Answer) -> Answer:
    """By the chain of the verdict API, or what a resolver does with an upstream's answer: the same stages."""

    async def below(asked: Query) -> Answer:
        return given if asked.name == query.name else Answer(0)

    return await judging_answer(stages, below)(query)


def upstreams_answer(query: Query, records: list[str]) -> Answer:
    """As `net/` reads it from an upstream's datagram."""
    message = dns.message.make_response(
        dns.message.make_query(query.name, type_name(query.qtype), use_edns=False)
    )
    message.answer = (
        dns.zonefile.read_rrsets("\n".join(records) + "\n", rdclass=None) if records else []
    )
    return receive(message.to_wire(max_size=65_535), query.question, query.now)


def said(query: Query, answer: Answer) -> tuple[dict[str, Any], dict[str, Any] | str]:
    """(what the API says, what a server does with it)."""
    verdict = answer.verdict or Verdict("allow", "none")
    passes = verdict.action in ("allow", "flag", "review")
    whole = blocked(query, verdict) if not passes else answer
    return _plain(to_reply("id", query, answer, 0.0)), "next" if passes else _answered(query, whole)


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return found


def _answered(query: Query, answer: Answer) -> dict[str, Any] | str:
    if answer.silent:
        return "silence"
    message = dns.message.from_wire(answers.to_wire(query, answer, 0.0, 65_535))
    return {
        "rcode": dns.rcode.to_text(message.rcode()),
        "truncated": bool(message.flags & dns.flags.TC),
        "answer": [f"{rrset.ttl} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}"
                   for rrset in message.answer for rdata in rrset],
        "ede": [[int(option.code), option.text or ""] for option in message.options],
    }  # fmt: skip
