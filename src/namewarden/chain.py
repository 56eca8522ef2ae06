"""The life of a query, top to bottom. Read this file first.

A stage feels everything below it and must not care what is above it. A stage returns an answer; it never
writes one. The doors (`net/udp.py`, `net/tcp.py`, `net/verdicts.py`) call the whole chain as one `Handler`.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from namewarden.query import Answer, Handler, Query, Stage


@dataclass(frozen=True)
class Links:
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


def resolving(links: Links) -> Handler:
    """The chain of every door that answers DNS."""
    return compose(
        [
            links.guard,  # outermost: a bug becomes SERVFAIL and a traceback, never silence
            links.record,  # above everything that answers alone: every query leaves one event
            links.limit,  # keyed by the socket's address; before any work is done for a stranger
            links.groups,  # lists, modes and answers below depend on it
            links.local,  # above lists and model: these names are never judged and never leave
            links.lists,  # above the verdict: an allowed name must not cost a forward pass
            links.verdict,  # above the cache: a name is judged before anybody is asked about it
            links.screen,  # the answer's names; above the cache, so kept answers are judged by today's lists
            links.cache,
        ],
        links.forward,  # always answers
    )


def judging(links: Links, no_opinion: Handler) -> Handler:
    """The chain of the verdict API: the same judgement, and nobody is asked. Its callers record."""
    return compose([links.guard, links.groups, links.local, links.lists, links.verdict], no_opinion)


def compose(stages: Sequence[Stage], last: Handler) -> Handler:
    handler = last
    for stage in reversed(stages):
        handler = _bind(stage, handler)
    return handler


def _bind(stage: Stage, following: Handler) -> Handler:
    def bound(query: Query) -> Awaitable[Answer]:
        return stage(query, following)

    return bound
