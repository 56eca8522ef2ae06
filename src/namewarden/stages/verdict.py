"""The model's stage of the chain: scores the name, and answers itself what the verdict refuses.

It fails open: a late, full or broken model lets the name pass, counted. Where the score is known nothing is awaited
here. In mode shadow nothing is refused, so the answer is fetched while the model thinks. The decision itself is
`detector/judge.py`.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache, partial

from msgspec.structs import replace

from namewarden.detector.batcher import Batcher, Waiter
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.query import Answer, Handler, Query, Score, Stage, Verdict
from namewarden.stages.limit import REMEMBERED, prefix_of
from namewarden.stages.zones import Zones


def verdict(
    labels: Labels,
    batcher: Batcher,
    model_policy: Callable[[str], ModelPolicy],
    is_guarded: Callable[[str], bool],
    answer: Callable[[Query, Verdict], Answer],
    zones: Zones | None = None,
) -> Stage:
    """`model_policy` by group; `is_guarded` by name; `answer` makes the blocked or redirected answer. Names in `zones`
    are the operator's own: they are not scored."""
    scored = labels.scored
    known = batcher.known
    client_of = lru_cache(REMEMBERED)(prefix_of)

    async def judge_name(query: Query, following: Handler) -> Answer:
        if query.allowed is not None:
            return await following(query)
        if zones is not None and (zone := zones.of(query.name, query.group)):
            said = Verdict("allow", "unscored", rule=f"zone:{zone.name[:-1]}")
            return _beside(await following(query), said)
        wanted = model_policy(query.group)
        what = scored(query.name)
        score = waiter = None
        if wanted.mode != "off" and isinstance(what, Scorable):
            score = known(what.judged)
            if score is None:
                waiter = batcher.ask(what.judged, client_of(query.client))
        if waiter is not None:
            if wanted.mode == "shadow":
                verdict_of = partial(_verdict_of, query, what, wanted)
                return await _meanwhile(following(query), waiter, verdict_of)
            score = await waiter
        said = _verdict_of(query, what, wanted, score)
        if said.action in ("block", "redirect"):
            return answer(query, said)
        return _beside(await following(query), said)

    def _verdict_of(
        query: Query, what: Scorable | Unscored, wanted: ModelPolicy, score: Score | None
    ) -> Verdict:
        said = judge(what, score, batcher.thresholds, wanted)
        if said.band in ("", "benign") or not is_guarded(query.name):
            return said
        return judge(what, score, batcher.thresholds, wanted, guarded=True)

    return judge_name


async def _meanwhile(
    given: Awaitable[Answer], waiter: Waiter, verdict_of: Callable[[Score | None], Verdict]
) -> Answer:
    """No asyncio.gather: nothing here needs a task. What was denied below waits for no score."""
    try:
        found = await given
        return found if found.verdict is not None else _beside(found, verdict_of(await waiter))
    finally:
        waiter.cancel()  # nothing when it is done


def _beside(given: Answer, said: Verdict) -> Answer:
    """A verdict from below (a denied name in the CNAME chain) is the stronger one."""
    return given if given.verdict is not None else replace(given, verdict=said)
