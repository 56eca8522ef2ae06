"""Answers are asked for once: kept by their TTL, served stale when no upstream answers, one question for many.

RFC 2308 (denials), RFC 8767 (stale), RFC 9520 (failures). Without RD nobody is asked. Above it nothing is
kept: lists and rules judge a kept answer again. TTLs are counted down where the answer becomes bytes.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from namewarden.query import Answer, Handler, Query, Stage
from namewarden.stages.dns_cache import CachedAnswer, DnsCache, Key, with_ttls
from namewarden.wire.errors import Rcode

PATIENCE = (
    1.8  # seconds a client waits before it gets a stale answer (RFC 8767 §5, client response timer)
)
STALE_TTL = 30  # seconds (RFC 8767 §4)
RETRY_AFTER = (
    30.0  # seconds until a failed refresh is tried again (RFC 8767 §5, failure recheck timer)
)
SERVFAIL_TTL = 5  # seconds a server's failure is kept (RFC 9520 §3.2 wants 1 at least)
FAILED_TTL = 1  # seconds when no server could be reached at all
MOST_FETCHES = (
    20_000  # questions on their way: the listeners' in-flight bound, and those whose client went
)
STALE, STALE_NXDOMAIN = (3, "Stale Answer"), (19, "Stale NXDOMAIN Answer")  # RFC 8914
BOGUS = range(5, 13)  # RFC 8914: DNSSEC said no; an older answer must not hide that
DEFINITE = (Rcode.NOERROR, Rcode.NXDOMAIN)

# RFC 8914 §4.21, Not Authoritative: for a client that does not want recursion there is what is kept, and no more.
NOT_KEPT = Answer(Rcode.REFUSED, ede=((20, ""),), status="REFUSED")

Spawn = Callable[[Coroutine[Any, Any, None]], object]
Waiter = asyncio.Future[Answer]


def cache(
    store: DnsCache,
    spawn: Spawn,
    shield: Stage,
    clock: Callable[[], float] = time.monotonic,
    patience: float = PATIENCE,
    view: Callable[[Query], int] | None = None,
) -> Stage:
    """`shield` stands around what is below, for a question goes on when its client has gone: the guard. `view` tells
    answers apart that are not the same for all clients; None where all get the same."""
    fetches = Fetches(store, spawn, shield, clock)
    counts = store.counts

    async def stage(query: Query, following: Handler) -> Answer:
        key: Key = (query.name, query.qtype, query.qclass, query.do, query.cd)
        if view is not None and (seen := view(query)):
            key = (*key, seen)
        now = query.now
        entry = store.get(key, now)
        if entry is not None:
            if now < entry.expires:
                counts.hits += 1
                return entry.answer
            if now < entry.retry_at:
                counts.stale += 1
                return stale(entry, now)
        if not query.rd:
            return NOT_KEPT
        counts.misses += 1
        waiter = fetches.join(key, query, following, entry)
        if entry is None:
            return await waiter
        timer = asyncio.get_running_loop().call_later(
            patience, fetches.lose_patience, waiter, entry
        )
        try:
            return await waiter
        finally:
            timer.cancel()

    return stage


def stale(entry: CachedAnswer, now: float) -> Answer:
    """An expired answer that may be repeated for half a minute, and says what it is."""
    kept = entry.answer
    said = STALE_NXDOMAIN if kept.rcode == Rcode.NXDOMAIN else STALE
    aged = with_ttls(kept, STALE_TTL, exactly=True)
    return replace(aged, stored=now, ede=(*kept.ede, said), status="CACHE_STALE")


class Fetches:
    """Questions on their way upstream and who waits for each."""

    def __init__(
        self, store: DnsCache, spawn: Spawn, shield: Stage, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._spawn = spawn
        self._shield = shield
        self._clock = clock
        self._waiters: dict[Key, list[Waiter]] = {}

    def join(
        self, key: Key, query: Query, following: Handler, entry: CachedAnswer | None
    ) -> Waiter:
        """Wait for the question that is on its way, or send it. One who leaves takes nobody along."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.get(key)
        if waiters is not None:
            self._store.counts.coalesced += 1
            waiters.append(waiter)
        elif len(self._waiters) >= MOST_FETCHES:
            waiter.set_result(Answer(Rcode.SERVFAIL, status="FAILED"))
        else:
            self._waiters[key] = [waiter]
            self._spawn(self._fetch(key, query, following, entry))
        return waiter

    async def _fetch(
        self, key: Key, query: Query, following: Handler, entry: CachedAnswer | None
    ) -> None:
        answer = None
        try:
            answer = self._keep(key, query, entry, await self._shield(query, following))
        finally:
            for waiter in self._waiters.pop(key):
                if waiter.done():
                    continue
                if answer is None:
                    waiter.cancel()
                else:
                    waiter.set_result(answer)

    def _keep(self, key: Key, query: Query, entry: CachedAnswer | None, answer: Answer) -> Answer:
        """Store what came; give what the waiters get."""
        if answer.rcode not in DEFINITE:
            return self._keep_failure(key, entry, answer)
        answer = self._store.capped(query, answer)
        if answer.ttl > 0 and answer.stored and not answer.tc:
            self._store.put(
                key, replace(answer, status="CACHE"), ttl=answer.ttl, stale=self._store.stale
            )
        return answer

    def _keep_failure(self, key: Key, entry: CachedAnswer | None, answer: Answer) -> Answer:
        now = self._clock()
        is_bogus = any(code in BOGUS for code, _ in answer.ede)
        if entry is not None and not is_bogus and now < entry.dead:
            entry.retry_at = now + RETRY_AFTER
            self._store.counts.stale += 1
            return stale(entry, now)
        ttl = FAILED_TTL if answer.status == "FAILED" else SERVFAIL_TTL
        status = "FAILED" if answer.status == "FAILED" else "CACHE"
        kept = replace(answer, ttl=ttl, stored=now, status=status)
        self._store.put(key, kept, ttl=ttl, stale=0)
        return answer

    def lose_patience(self, waiter: Waiter, entry: CachedAnswer) -> None:
        """The upstream is late: the client gets the stale answer, the question goes on."""
        if not waiter.done():
            self._store.counts.stale += 1
            waiter.set_result(stale(entry, self._clock()))
