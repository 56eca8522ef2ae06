"""From facts about one name and one client to a verdict by the model. A pure function; its caller is
`stages/verdict.py`, its golden cases are in `contract/verdict.json`."""

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.label import Scorable, Unscored
from namewarden.query import Action, Band, BlockMode, ModelMode, Reason, Score, Verdict


class ModelPolicy(Struct, frozen=True):
    """What the client's group wants of the model."""

    mode: ModelMode = "enforce"
    block: BlockMode = "null"
    addresses: tuple[str, ...] = ()  # what mode ip answers
    redirect: tuple[str, ...] = ()  # honeypot or blackhole; empty = malicious names are blocked
    ttl: int = 10
    burst: bool = False  # its names fail by the dozen: judged a step more strictly


def judge(
    what: Scorable | Unscored,
    score: Score | None,
    limits: Thresholds,
    model_policy: ModelPolicy,
    guarded: bool = False,
) -> Verdict:
    """The model's verdict. A missing score is a fact: the name passes, and the reason says so."""
    if isinstance(what, Unscored):
        return Verdict("allow", "unscored")
    if model_policy.mode == "off":
        return Verdict("allow", "model_off")
    if score is None:
        return Verdict("allow", "model_late")
    band = band_of(score.logit, limits, True) if model_policy.burst else score.band
    if band == "benign":
        return _answered("allow", "model_benign", "", score, band, model_policy)
    rule = _rule(limits, model_policy.burst, band)
    if guarded:
        return _answered("allow", "guard", rule, score, band, model_policy)
    if band == "uncertain":
        return _answered("review", "model_uncertain", rule, score, band, model_policy)
    if what.kind == "private":
        return _answered("review", "private_suffix", rule, score, band, model_policy)
    if model_policy.mode == "shadow":
        would: Action = "redirect" if model_policy.redirect else "block"
        return _answered("flag", "model_malicious", rule, score, band, model_policy, would)
    return _refused(rule, score, band, model_policy)


def _answered(
    action: Action,
    reason: Reason,
    rule: str,
    score: Score,
    band: Band,
    model_policy: ModelPolicy,
    shadow: Action | Literal[""] = "",
) -> Verdict:
    return Verdict(
        action,
        reason,
        rule=rule,
        ttl=model_policy.ttl,
        score=score.probability,
        band=band,
        family=score.family,
        model=score.model,
        shadow=shadow,
    )


def _refused(rule: str, score: Score, band: Band, model_policy: ModelPolicy) -> Verdict:
    return Verdict(
        "redirect" if model_policy.redirect else "block",
        "model_malicious",
        rule=rule,
        mode="ip" if model_policy.redirect else model_policy.block,
        addresses=model_policy.redirect or model_policy.addresses,
        ttl=model_policy.ttl,
        score=score.probability,
        band=band,
        family=score.family,
        model=score.model,
    )


@lru_cache(maxsize=16)
def _rule(limits: Thresholds, burst: bool, band: Band) -> str:
    """The threshold that was reached, for people; burst named, because it moved."""
    lower, upper = limits.one_in_1000, limits.one_in_10000
    if burst:
        lower, upper = limits.one_in_100, limits.one_in_1000
    reached = probability(upper if band == "malicious" else lower)
    return f"score >= {reached:.6f}" + (" (burst)" if burst else "")
