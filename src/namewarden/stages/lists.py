"""Rules and lists judge the name asked: a denial is answered here, an allow is told to everything below.

Local data that is a CNAME is followed as Unbound does: its target is resolved as an allowed name, and the
answer is the CNAME and what the target has.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.stages.given import given
from namewarden.wire import types
from namewarden.wire.joined import beyond, join

Answering = Callable[[Query, Verdict], Answer]
Epoch = Callable[[float], float]  # a query's monotonic time → epoch seconds
STREAMS = frozenset(("tcp", "tls", "https"))  # transports whose client has shown its address


def lists(policy: Callable[[], Policy], answer: Answering, epoch: Epoch) -> Stage:
    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        by_stream = query.transport in STREAMS
        verdict = decide.lists(policy(), query.name, query.group, epoch(query.now), by_stream)
        if verdict is None:
            return following(query)
        if verdict.action == "allow":
            return _allowed(query, verdict, following)
        if target := _target(query, verdict):
            return _follow(query, verdict, target, answer, following)
        return given(answer(query, verdict))

    return stage


async def _allowed(query: Query, verdict: Verdict, following: Handler) -> Answer:
    below = await following(replace(query, allowed=verdict))
    return replace(below, verdict=verdict)


def _target(query: Query, verdict: Verdict) -> str:
    """Where local data sends the query, "" when it answers it."""
    if verdict.mode != "data" or query.qtype in (types.CNAME, types.ANY):
        return ""
    kinds = {kind: text for kind, _, text in verdict.records}
    return "" if types.type_name(query.qtype) in kinds else kinds.get("CNAME", "")


async def _follow(
    query: Query, verdict: Verdict, target: str, answer: Answering, following: Handler
) -> Answer:
    """How it came about is the line's doing; only the answer itself is the target's."""
    asked = replace(beyond(query, target), allowed=verdict)
    alias = replace(answer(query, verdict), cnames=(target,))
    below = await following(asked)
    if below.status == "REFUSED":  # not kept, and the client wants no recursion: ours alone
        return alias
    whole = join(query, alias, asked, below)
    status = whole.status if whole.status == "FAILED" else alias.status
    return replace(whole, status=status, verdict=verdict, ede=alias.ede)
