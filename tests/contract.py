"""Reads `contract/verdict.json` and turns its stated facts into ours."""

import json
from pathlib import Path
from typing import Any, get_args

import dns.message
import msgspec

from namewarden import query as nouns
from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Scorable, Unscored
from namewarden.net.verdicts import to_reply
from namewarden.query import Answer, Query, Score, Verdict
from namewarden.stages.block import blocked
from namewarden.wire import answers, names
from namewarden.wire.types import type_number

CONTRACT = Path(__file__).parent.parent / "contract" / "verdict.json"


def read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CONTRACT.read_text())
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
