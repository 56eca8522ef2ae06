"""The life of a query, top to bottom. Read this file first.

A stage feels everything below it and must not care what is above it. A stage returns an answer; it
never writes one. The doors (`net/udp.py`, `net/tcp.py`) call the whole chain as one `Handler`.
"""

from collections.abc import Awaitable, Sequence

from namewarden.query import Answer, Handler, Query, Stage


def compose(stages: Sequence[Stage], last: Handler) -> Handler:
    handler = last
    for stage in reversed(stages):
        handler = _bind(stage, handler)
    return handler


def _bind(stage: Stage, following: Handler) -> Handler:
    def bound(query: Query) -> Awaitable[Answer]:
        return stage(query, following)

    return bound
