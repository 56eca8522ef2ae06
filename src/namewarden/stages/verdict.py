"""The model's link of the chain: scores the name, and answers itself what the verdict refuses.

It fails open: a late, full or broken model lets the name pass, counted. Where the score is remembered nothing is
awaited here. The decision itself is `detector/judge.py`.
"""

import asyncio
from collections.abc import Callable
from functools import lru_cache

from msgspec.structs import replace

from namewarden.detector.batcher import Batcher
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.query import Answer, Handler, Query, Score, Stage, Verdict
from namewarden.stages.limit import REMEMBERED, prefix_of


def verdict(
    labels: Labels,
    batcher: Batcher,
    model_policy: Callable[[str], ModelPolicy],
    is_guarded: Callable[[str], bool],
    answer: Callable[[Query, Verdict], Answer],
) -> Stage:
    """`model_policy` by group; `is_guarded` by name; `answer` makes the blocked or redirected answer."""
    scored = labels.scored
    known = batcher.known
    client_of = lru_cache(REMEMBERED)(
        prefix_of
    )  # one that asks much is not to take the share of others

    async def judge_name(query: Query, following: Handler) -> Answer:
        if query.allowed is not None:
            return await following(query)
        wanted = model_policy(query.group)
        what = scored(query.name)
        score = None
        if wanted.mode != "off" and isinstance(what, Scorable):
            score = known(what.judged)
            if score is None:
                score = await _asked(batcher, what.judged, client_of(query.client))
        said = _said(query, what, score, wanted)
        if said.action in ("block", "redirect"):
            return answer(query, said)
        given = await following(query)
        # A verdict from below (a denied name in the CNAME chain) is the stronger one.
        return given if given.verdict is not None else replace(given, verdict=said)

    def _said(
        query: Query, what: Scorable | Unscored, score: Score | None, wanted: ModelPolicy
    ) -> Verdict:
        said = judge(what, score, batcher.thresholds, wanted)
        if said.band in ("", "benign") or not is_guarded(query.name):
            return said
        return judge(what, score, batcher.thresholds, wanted, guarded=True)

    return judge_name


async def _asked(batcher: Batcher, name: str, client: bytes) -> Score | None:
    """A future and no asyncio.timeout: the listener steps this coroutine before it is a task."""
    waiter = batcher.ask(name, client)
    if waiter is None:
        return None
    try:
        return await waiter
    except asyncio.CancelledError:
        batcher.leave(name)
        raise
