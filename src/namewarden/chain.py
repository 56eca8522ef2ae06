"""The life of a query, top to bottom. Read this file first.

A stage feels everything below it and must not care what is above it. A stage returns an answer; it never
writes one. The listeners (`net/udp.py`, `net/tcp.py`, `net/verdicts.py` and kin) call the whole chain as one `Handler`.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from namewarden.query import Answer, Handler, Query, Stage


@dataclass(frozen=True)
class Stages:
    """The stages, each made by its file in `stages/` with what it needs (`process/pipeline.py` makes them)."""

    guard: Stage
    groups: Stage
    record: Stage
    limit: Stage
    local: Stage
    rebinding: Stage
    lists: Stage
    verdict: Stage
    screen: Stage
    cache: Stage
    forward: Handler


def resolving(stages: Stages) -> Handler:
    """The chain of every listener that answers DNS."""
    return compose(
        [
            stages.guard,  # outermost: a bug becomes SERVFAIL and a traceback, never silence
            stages.groups,  # the event, lists, modes and answers below depend on it; it answers nothing
            stages.record,  # above everything that answers alone: every query leaves one event
            stages.limit,  # keyed by the socket's address; before any work is done for a stranger
            stages.local,  # above lists and model: these names are never judged and never leave, unless people say so
            stages.rebinding,  # above all that may answer with addresses, and below the operator's own records
            stages.lists,  # above the verdict: an allowed name must not cost a forward pass
            stages.verdict,  # above the cache: a name is judged before anybody is asked about it
            stages.screen,  # the answer's names; above the cache, so kept answers are judged by today's lists
            stages.cache,
        ],
        stages.forward,  # always answers
    )


def judging(stages: Stages, no_opinion: Handler, record: Sequence[Stage] = ()) -> Handler:
    """The chain of the verdict API: the same judgement, and nobody is asked. Its callers record, unless they cannot."""
    above, below = (stages.guard, stages.groups), (stages.local, stages.lists, stages.verdict)
    return compose([*above, *record, *below], no_opinion)


def judging_answer(stages: Stages, given: Handler) -> Handler:
    """The chain of the verdict API for an answer that another server has: lists and rules, and no model."""
    return compose(
        [
            stages.guard, stages.groups, stages.local, stages.rebinding, stages.lists, stages.screen,
        ],
        given,
    )  # fmt: skip


@dataclass(frozen=True)
class StoodInFor:
    """What the packet cache (`net/packet_cache.py`) does in the place of one stage."""

    key: str = ""  # what the stage adds to what two queries must share
    validity: str = ""  # what ends an answer, or forbids to keep it
    record: tuple[str, ...] = ()  # fields of the event that it fills


# A query that the packet cache answers passes none of the stages. So each says here what it would have added.
PACKET_CACHE: dict[str, StoodInFor] = {
    "guard": StoodInFor(validity="a fault is not kept"),
    "groups": StoodInFor("the client's group", "a change of policy looks it up anew", ("group",)),
    "record": StoodInFor(
        "the message as sent but for its id and EDNS options",
        "repeats are recorded within a second",
        ("id", "time", "source", "client", "name", "qtype", "transport", "duration", "count"),
    ),
    "limit": StoodInFor(
        "whether the client may ask",
        "asked for every query",
        ("status", "rcode", "action", "reason"),
    ),  # fmt: skip
    "local": StoodInFor(
        "the message, and the client's group, which zones and rules are for",
        "a change that reaches the name",
        ("status", "rcode", "action", "reason"),
    ),
    "rebinding": StoodInFor(
        "the message, and the client's group, which zones are for",
        "the settings, for good; a change that reaches the name",
        ("action", "reason", "rule"),
    ),
    "lists": StoodInFor(
        "the client's group, which lines are for it, and the triggers of zones that know its address",
        "a change that reaches the name; the end of the rule; what asks for silence is not kept",
        ("action", "reason", "rule"),
    ),
    "verdict": StoodInFor(
        "the client's group",
        "another policy; what came without its score is not kept",
        ("score", "band", "family", "model", "shadow"),
    ),
    "screen": StoodInFor(
        "the client's group",
        "a change that reaches a name of the chain, the end of a rule about one",
        ("cnames",),
    ),
    "cache": StoodInFor(
        "the message, and the client's group",
        "the TTL, counted down; what is stale or failed is not kept",
        ("status",),
    ),
    "forward": StoodInFor(
        "the message, and the client's group, which zones are for",
        "the TTL",
        ("upstream", "addresses"),
    ),
}


def compose(stages: Sequence[Stage], last: Handler) -> Handler:
    handler = last
    for stage in reversed(stages):
        handler = _bind(stage, handler)
    return handler


def _bind(stage: Stage, following: Handler) -> Handler:
    def bound(query: Query) -> Awaitable[Answer]:
        return stage(query, following)

    return bound
