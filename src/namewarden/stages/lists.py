"""Rules and lists judge the name asked: a denial is answered here, an allow is told to everything below.

Where a zone that comes first may speak about the answer, that is asked for before a later zone's word about the name
holds. Local data that is a CNAME is followed as Unbound does: its target is resolved as an allowed name, and the
answer is the CNAME and what the target has.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.policy.terms import Asked
from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.stages.given import given
from namewarden.wire import sections, types
from namewarden.wire.joined import beyond, join
from namewarden.wire.message import MOST_ADDRESSES

Answering = Callable[[Query, Verdict], Answer]
Epoch = Callable[[float], float]  # a query's monotonic time → epoch seconds
STREAMS = frozenset(("tcp", "tls", "https"))  # transports whose client has shown its address


def lists(
    policy: Callable[[], Policy], answer: Answering, epoch: Epoch, targets: Stage | None = None
) -> Stage:
    """`targets` answers here what a CNAME of local data leads to, as `local.py` does for names that are asked."""

    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        current = policy()
        client = current.of_client(query.client)
        verdict = decide.lists(current, query.name, asked_by(query, epoch(query.now)), client)
        if verdict is None:
            return following(query)
        if verdict.zone and current.triggers.answer_ranks:
            if decide.is_awaited(current, query.name, query.group, client):
                return _awaited(current, query, verdict, answer, onwards(targets, following))
        if verdict.action == "allow":
            return _allowed(query, verdict, following)
        return respond(query, verdict, answer, onwards(targets, following))

    return stage


def asked_by(query: Query, now: float) -> Asked:
    """`now`: epoch seconds."""
    return Asked(query.group, now, query.transport in STREAMS, query.qtype, query.client)


async def _allowed(query: Query, verdict: Verdict, following: Handler) -> Answer:
    below = await following(replace(query, allowed=verdict))
    return replace(below, verdict=verdict)


async def _awaited(
    policy: Policy, query: Query, verdict: Verdict, answer: Answering, following: Handler
) -> Answer:
    """A zone before the one that speaks about the name may speak about the answer, so that is asked for first."""
    below = await _allowed(query, verdict, following)
    earlier = None
    if not below.cnames:
        client = policy.of_client(query.client)
        by_stream = query.transport in STREAMS
        seen = shown(policy, query, below)
        earlier = decide.answered(policy, query.name, seen, query.group, by_stream, client)
    final = earlier or verdict
    if final.action == "allow":
        return replace(below, verdict=final)
    return await respond(query, final, answer, following)


def shown(policy: Policy, query: Query, below: Answer) -> decide.Shown:
    """What of the answer may trigger a zone."""
    is_cut = below.body and len(below.addresses) >= MOST_ADDRESSES  # without one there is no more
    if not is_cut and not (policy.triggers.has_servers and below.counts[1]):
        return decide.Shown(below.addresses)
    message = sections.message_of(query, below)
    if message is None:
        return decide.Shown(below.addresses)
    return decide.Shown(sections.addresses(message), *sections.servers(message))


def onwards(targets: Stage | None, following: Handler) -> Handler:
    """What follows for the target of a CNAME of ours."""
    if targets is None:
        return following
    return lambda query: targets(query, following)


def respond(
    query: Query, verdict: Verdict, answer: Answering, following: Handler
) -> Awaitable[Answer]:
    """The answer of a denial; local data that is a CNAME is followed."""
    if target := _target(query, verdict):
        return _follow(query, verdict, target, answer, following)
    return given(answer(query, verdict))


def _target(query: Query, verdict: Verdict) -> str:
    """Where local data sends the query, "" when it answers it."""
    if verdict.mode != "data" or query.qtype in (types.CNAME, types.ANY):
        return ""
    kinds = {kind: text for kind, _, text in verdict.records}
    target = "" if types.type_name(query.qtype) in kinds else kinds.get("CNAME", "")
    return "" if target.startswith("*.") else target  # it had no room: YXDOMAIN


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
    if whole.counts[0] and not whole.tc:
        whole = replace(whole, ttls=whole.ttls[len(alias.ttls) :])  # ours does not age
    status = whole.status if whole.status == "FAILED" else alias.status
    return replace(whole, status=status, verdict=verdict, ede=alias.ede)
