"""The CNAME chain of the answer from below is judged by rules and lists: a cloaked name is denied too.

Above the cache: cached answers are judged again when lists change. The model does not score targets (those of
CDNs look random). An allow of the name asked covers its chain. Names in HTTPS and SVCB data are not judged.
"""

from collections.abc import Callable

from msgspec.structs import replace

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.query import Answer, Handler, Query, Stage
from namewarden.stages.lists import STREAMS, Answering, Epoch


def screen(policy: Callable[[], Policy], answer: Answering, epoch: Epoch) -> Stage:
    async def stage(query: Query, following: Handler) -> Answer:
        below = await following(query)
        if not below.cnames or query.allowed is not None:
            return below
        by_stream = query.transport in STREAMS
        verdict = decide.chain(policy(), below.cnames, query.group, epoch(query.now), by_stream)
        if verdict is None:
            return below
        denied = answer(query, verdict)
        status = denied.status if denied.silent else "BLOCKED_CNAME"
        return replace(denied, status=status, cnames=below.cnames, upstream=below.upstream)

    return stage
