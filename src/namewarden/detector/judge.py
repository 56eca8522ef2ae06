"""From facts about one name and one client to a verdict by the model. A pure function; its caller is
`stages/verdict.py`, its golden cases are in `contract/verdict.json`."""

from functools import lru_cache
from typing import Literal

from msgspec import Struct

from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.label import Scorable, Unscored
from namewarden.query import Action, Band, BlockMode, ModelMode, Reason, Score, Verdict


class Stance(Struct, frozen=True):
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
    stance: Stance,
    guarded: bool = False,
) -> Verdict:
    """The model's verdict. A missing score is a fact: the name passes, and the reason says so."""
    if isinstance(what, Unscored):
        return Verdict("allow", "unscored")
    if stance.mode == "off":
        return Verdict("allow", "model_off")
    if score is None:
        return Verdict("allow", "model_late")
    band = band_of(score.logit, limits, True) if stance.burst else score.band
    if band == "benign":
        return _answered("allow", "model_benign", "", score, band, stance)
    rule = _rule(limits, stance.burst, band)
    if guarded:
        return _answered("allow", "guard", rule, score, band, stance)
    if band == "uncertain":
        return _answered("review", "model_uncertain", rule, score, band, stance)
    if what.kind == "private":
        return _answered("review", "private_suffix", rule, score, band, stance)
    if stance.mode == "shadow":
        would: Action = "redirect" if stance.redirect else "block"
        return _answered("flag", "model_malicious", rule, score, band, stance, would)
    return _refused(rule, score, band, stance)


def _answered(
    action: Action,
    reason: Reason,
    rule: str,
    score: Score,
    band: Band,
    stance: Stance,
    shadow: Action | Literal[""] = "",
) -> Verdict:
    return Verdict(
        action,
        reason,
        rule=rule,
        ttl=stance.ttl,
        score=score.probability,
        band=band,
        family=score.family,
        model=score.model,
        shadow=shadow,
    )


def _refused(rule: str, score: Score, band: Band, stance: Stance) -> Verdict:
    return Verdict(
        "redirect" if stance.redirect else "block",
        "model_malicious",
        rule=rule,
        mode="ip" if stance.redirect else stance.block,
        addresses=stance.redirect or stance.addresses,
        ttl=stance.ttl,
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
