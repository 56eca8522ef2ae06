"""The answer from below is judged by rules and lists: the names of its CNAME chain, the targets of HTTPS and SVCB
records, and what else triggers a zone.

Above the cache: cached answers are judged again when lists change. The model does not score targets (those of
CDNs look random). An allow of the name asked covers all that its answer leads to.
"""

from collections.abc import Callable

from msgspec.structs import replace

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.stages.lists import STREAMS, Answering, Epoch, asked_by, onwards, respond, shown
from namewarden.wire import sections, types
from namewarden.wire.joined import beyond, join

Judged = tuple[int, Verdict]  # place in the chain, -1 for the name asked; what is said


def screen(
    policy: Callable[[], Policy], answer: Answering, epoch: Epoch, targets: Stage | None = None
) -> Stage:
    """`targets`: as of `lists`."""

    async def stage(query: Query, following: Handler) -> Answer:
        below = await following(query)
        current = policy()
        leads_on = below.cnames or below.targets or current.triggers.awaits_answers
        if query.allowed is not None or not leads_on:
            return below
        judged = _judge(current, query, below, epoch(query.now))
        if judged is None or judged[1].action == "allow":
            return below
        return await _replaced(query, below, judged, answer, onwards(targets, following))

    return stage


def _judge(policy: Policy, query: Query, below: Answer, now: float) -> Judged | None:
    """The chain first, then where HTTPS and SVCB records lead: each target may be the one that a client takes."""
    judged = _judge_chain(policy, query, below, now)
    if judged is not None or not below.targets:
        return judged
    for name in below.targets:
        verdict = decide.lists(policy, name, asked_by(query, now))
        if verdict is not None and verdict.action != "allow":
            return -1, replace(verdict, reason="cname_deny")
    return None


def _judge_chain(policy: Policy, query: Query, below: Answer, now: float) -> Judged | None:
    """Where the chain is first spoken about. At its end a zone that comes earlier may speak about the answer."""
    judged = decide.chain(policy, below.cnames, asked_by(query, now))
    if query.qtype == types.CNAME and (judged is None or judged[1].zone):
        return None  # the CNAME itself is the answer, its target is not (as in BIND)
    is_before = judged is not None and (judged[0] < len(below.cnames) - 1 or not judged[1].zone)
    if is_before or not policy.triggers.awaits_answers:
        return judged
    if _is_end_allowed(policy, query, below, now):
        return judged
    judged = _judge_end(policy, query, below) or judged
    return judged or _judge_addresses(policy, query, below, now)


def _is_end_allowed(policy: Policy, query: Query, below: Answer, now: float) -> bool:
    """Whether the last name of a chain is allowed, and not by a zone: that covers what it has."""
    if not below.cnames:
        return False
    verdict = decide.lists(policy, below.cnames[-1], asked_by(query, now))
    return verdict is not None and verdict.action == "allow" and not verdict.zone


def _judge_addresses(policy: Policy, query: Query, below: Answer, now: float) -> Judged | None:
    """What lists that are no zones say about the addresses."""
    if not policy.triggers.has_addresses:
        return None
    seen = shown(policy, query, below).addresses
    verdict = decide.addressed(policy, query.name, seen, asked_by(query, now))
    return None if verdict is None else (len(below.cnames) - 1, verdict)


def _judge_end(policy: Policy, query: Query, below: Answer) -> Judged | None:
    """What a zone says about the addresses and servers shown."""
    by_stream = query.transport in STREAMS
    name = below.cnames[-1] if below.cnames else query.name
    client = () if below.cnames else policy.of_client(query.client)
    seen = shown(policy, query, below)
    verdict = decide.answered(policy, name, seen, query.group, by_stream, client)
    return None if verdict is None else (len(below.cnames) - 1, verdict)


async def _replaced(
    query: Query, below: Answer, judged: Judged, answer: Answering, following: Handler
) -> Answer:
    """A zone's answer stands in the place of what the chain leads to; every other denial in that of the whole."""
    verdict = judged[1]
    denied = await _behind(query, below, judged, answer, following)
    if denied is None:
        denied = await respond(query, verdict, answer, following)
    is_cname = verdict.reason == "cname_deny" and not denied.silent
    status = "BLOCKED_CNAME" if is_cname else denied.status
    return replace(denied, status=status, cnames=below.cnames, upstream=below.upstream)


async def _behind(
    query: Query, below: Answer, judged: Judged, answer: Answering, following: Handler
) -> Answer | None:
    """The CNAMEs that lead there, and what the zone has; None where there are none, or they cannot be read."""
    place, verdict = judged
    if place < 0 or not verdict.zone or verdict.mode in ("drop", "tcp-only"):
        return None
    message = sections.message_of(query, below)
    head = sections.aliases(message, query, place + 1) if message else None
    if head is None:
        return None
    asked = beyond(query, below.cnames[place])
    tail = await respond(asked, verdict, answer, following)
    return join(query, head, asked, tail)
