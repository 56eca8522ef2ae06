"""The life of a query, top to bottom. Read this file first.

A stage feels everything below it and must not care what is above it. A stage returns an answer; it never
writes one. The listeners (`net/udp.py`, `net/tcp.py`, `net/verdicts.py`) call the whole chain as one `Handler`.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from namewarden.query import Answer, Handler, Query, Stage


@dataclass(frozen=True)
class Stages:
    """The stages, each made by its file in `stages/` with what it needs (`app.py` makes them)."""

    guard: Stage
    record: Stage
    limit: Stage
    groups: Stage
    local: Stage
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
            stages.record,  # above everything that answers alone: every query leaves one event
            stages.limit,  # keyed by the socket's address; before any work is done for a stranger
            stages.groups,  # lists, modes and answers below depend on it
            stages.local,  # above lists and model: these names are never judged and never leave
            stages.lists,  # above the verdict: an allowed name must not cost a forward pass
            stages.verdict,  # above the cache: a name is judged before anybody is asked about it
            stages.screen,  # the answer's names; above the cache, so kept answers are judged by today's lists
            stages.cache,
        ],
        stages.forward,  # always answers
    )


def judging(stages: Stages, no_opinion: Handler) -> Handler:
    """The chain of the verdict API: the same judgement, and nobody is asked. Its callers record."""
    return compose(
        [stages.guard, stages.groups, stages.local, stages.lists, stages.verdict], no_opinion
    )


def compose(stages: Sequence[Stage], last: Handler) -> Handler:
    handler = last
    for stage in reversed(stages):
        handler = _bind(stage, handler)
    return handler


def _bind(stage: Stage, following: Handler) -> Handler:
    def bound(query: Query) -> Awaitable[Answer]:
        return stage(query, following)

    return bound
