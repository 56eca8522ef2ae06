"""Which group the client belongs to: lists, modes and answers below depend on it."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from namewarden.policy.decide import Policy
from namewarden.query import Answer, Handler, Query, Stage


def groups(policy: Callable[[], Policy]) -> Stage:
    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        group = policy().groups.of(query.client).name
        if group != query.group:
            query = replace(query, group=group)
        return following(query)

    return stage
