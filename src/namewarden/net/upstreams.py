"""Who is asked when we do not know: several servers, the fastest first, the next when one fails or keeps us waiting.

`ask` promises an Answer or an UpstreamError within `total` seconds. A server that does not answer where another does
is asked last at once; a dead one is left alone and tried again, with growing pauses, by a copy of a live question. It
suspends on plain futures only: no task is needed to begin, none is left behind.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter

from namewarden.net import eager
from namewarden.net.abilities import ALL, Wishes
from namewarden.net.dice import unguessable
from namewarden.net.exchanges import RESEND_AFTER, Exchange, Late
from namewarden.net.upstream_server import LAST, Asking, UpstreamServer, resolve
from namewarden.query import Answer, Query, UpstreamState
from namewarden.wire.errors import Rcode, UpstreamError
from namewarden.wire.types import rcode_name

__all__ = ["UpstreamError", "Upstreams", "resolve"]

FADING = 0.98  # of the others' round trips at each question, so that they are tried again one day
NETWORK_ERROR = 23  # RFC 8914
DEFINITE = frozenset((int(Rcode.NOERROR), int(Rcode.NXDOMAIN)))
_RANK = attrgetter("rank")
_RETRY = attrgetter("retry_at")


class Upstreams:
    """`start()`, then `ask()` from anywhere on that loop, then `stop()`."""

    def __init__(
        self,
        servers: Sequence[str],
        timeout: float = 2.0,
        total: float = 5.0,
        payload: int = 1232,
        draw: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
        trust_ad: Sequence[str] = (),
        wishes: Wishes = ALL,
    ) -> None:
        draw = draw or unguessable().__next__
        asking = Asking(payload, draw, clock, trust_ad, wishes)
        self.servers = [UpstreamServer(url, asking) for url in servers]
        self._late: dict[UpstreamServer, Late | None] = {
            server: partial(self._ask_next, (server,)) if len(servers) > 1 else None
            for server in self.servers
        }
        self._beside: eager.Waiting = set()  # questions to a second server
        self.timeout = timeout
        self.total = total
        self.clock = clock
        self._stopped = False

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for server in self.servers:
            server.start(loop)

    def stop(self) -> None:
        """Ends every wait with UpstreamError; nothing is sent any more."""
        self._stopped = True
        for server in self.servers:
            server.stop()

    async def ask(self, query: Query) -> Answer:
        """The first definite answer; else a server's SERVFAIL; else UpstreamError."""
        until = self.clock() + self.total
        vague: Answer | None = None
        failed: tuple[str, str, int, bool] | None = None
        silent: tuple[UpstreamServer, ...] = ()
        waiting_may_help = True
        while waiting_may_help and vague is None:
            waiting_may_help = False
            for server in self._candidates(query):
                left = until - self.clock()
                if left <= 0 or self._stopped:
                    break
                try:
                    answer = await server.ask(query, min(self.timeout, left), self._late[server])
                except UpstreamError as error:
                    failed = server.name, error.reason, error.ede_code, error.hard
                    waiting_may_help |= not error.hard
                    silent = silent if error.hard else (*silent, server)
                    continue
                for other in silent:
                    other.outdo(until - self.total)
                if answer.rcode in DEFINITE:
                    return answer
                if vague is None or answer.rcode == Rcode.SERVFAIL:
                    vague = answer
        if vague is not None:
            return _as_servfail(vague)
        raise _failure(failed)

    def _candidates(self, query: Query) -> list[UpstreamServer]:
        """Whom to ask, best first."""
        if len(self.servers) < 2 or self._stopped:
            return [] if self._stopped else self.servers
        ranked = sorted(self.servers, key=_RANK)
        if ranked[-1].rank >= LAST:
            ranked = self._without_dead(query, ranked)
        for server in ranked[1:]:
            if server.rank < LAST:
                server.fade(FADING)
        return ranked

    def _without_dead(self, query: Query, ranked: list[UpstreamServer]) -> list[UpstreamServer]:
        """Where one is well, dead ones and new ones get a copy when their pause is over, for nobody waits for it."""
        now = self.clock()
        alive = [server for server in ranked if not server.is_dead]
        if not alive:
            return sorted(ranked, key=_RETRY)
        for server in ranked:
            if server.is_dead:
                if server.retry_at <= now:
                    server.leave_alone(now)
                    server.probe(query, self.timeout)
            elif not (server.rtt or server.is_probed) and alive[0].rank < LAST:
                server.probe(query, self.timeout)
        return alive

    def _ask_next(self, asked: tuple[UpstreamServer, ...], exchange: Exchange) -> None:
        """The last of these keeps a question waiting: another is asked beside it."""
        others = [each for each in self.servers if each not in asked and not each.is_dead]
        if others and not self._stopped:
            other = min(others, key=_RANK)
            eager.start(self._ask_beside(asked, other, exchange), self._beside)

    async def _ask_beside(
        self, asked: tuple[UpstreamServer, ...], other: UpstreamServer, exchange: Exchange
    ) -> None:
        """What comes first and is definite ends the exchange."""
        query, since = exchange.asked.query, self.clock() - RESEND_AFTER
        late = partial(self._ask_next, (*asked, other))
        try:
            answer = await other.ask(query, self.timeout, late)
        except UpstreamError:
            return
        if not exchange.future.done() and answer.rcode in DEFINITE:
            for server in asked:
                server.overtake(query, self.timeout, since)
            exchange.end(answer)

    def states(self) -> list[UpstreamState]:
        """How each server has been."""
        return [server.state() for server in self.servers]

    @property
    def wrong(self) -> int:
        """Datagrams and messages that answered nothing we asked: lies, or answers that came too late."""
        return sum(s.tcp.wrong + (s.udp.wrong if s.udp else 0) for s in self.servers)

    @property
    def faults(self) -> int:
        """Questions lost to a bug here."""
        return sum(s.tcp.faults + (s.udp.faults if s.udp else 0) for s in self.servers)


def _failure(last: tuple[str, str, int, bool] | None) -> UpstreamError:
    """What the last server failed by: kept as words, for an error would hold the frame that holds it."""
    if last is None:
        return UpstreamError("no upstream is configured", NETWORK_ERROR, hard=True)
    server, reason, code, hard = last
    return UpstreamError(f"{server}: {reason}", code, hard)


def _as_servfail(answer: Answer) -> Answer:
    """A server's REFUSED is about us, not about the client: what it gets is SERVFAIL with the reason."""
    if answer.rcode == Rcode.SERVFAIL:
        return answer
    said = (NETWORK_ERROR, f"upstream said {rcode_name(answer.rcode)}")
    return Answer(
        Rcode.SERVFAIL, ede=(*answer.ede, said), upstream=answer.upstream, stored=answer.stored
    )
