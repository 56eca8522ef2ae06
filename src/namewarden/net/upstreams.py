"""Who is asked when we do not know: several servers, the best first, the next when one fails.

`ask` promises an Answer or an UpstreamError within `total` seconds. A server that failed `FAILURES` times in
a row is left alone and tried again, with growing pauses, by a copy of a live question. It suspends on plain
futures only: no task is needed to begin, none is left behind.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from msgspec.structs import replace

from namewarden.net.exchanges import Endpoint, unguessable
from namewarden.net.upstream_tcp import TcpUpstream
from namewarden.net.upstream_udp import UdpUpstream
from namewarden.query import Answer, Query, UpstreamState
from namewarden.settings import plain_network
from namewarden.wire.errors import Rcode, UpstreamError

__all__ = ["UpstreamError", "Upstreams"]

log = structlog.get_logger("upstream")
FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds a dead server is left alone
QUIET = (
    60.0  # seconds between two words about one server's death: clients could make it come and go
)
WEIGHT = 0.2  # of a new round trip in the average
FADING = 0.98  # of the others' averages at each question, so that they are tried again one day
NETWORK_ERROR = 23  # RFC 8914
DEFINITE = frozenset((int(Rcode.NOERROR), int(Rcode.NXDOMAIN)))
REFUSED = int(Rcode.REFUSED)


class UpstreamServer:
    """One upstream and how it has been of late."""

    def __init__(
        self,
        url: str,
        payload: int,
        draw: Callable[[], int],
        clock: Callable[[], float],
        trust_ad: Sequence[str] = (),
    ) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 53
        self.name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.transport = parts.scheme
        self.clock = clock
        self.is_trusted = _is_within(host, trust_ad)  # its AD bit is passed on
        endpoint = Endpoint(self.name, resolve(host, port), payload, draw, clock)
        self.tcp = TcpUpstream(endpoint)
        self.udp = UdpUpstream(endpoint) if parts.scheme == "udp" else None
        self._begin = (self.udp or self.tcp).begin
        self.rtt = 0.0  # seconds, smoothed; 0 = not measured yet, so it is tried soon
        self.latency = 0.0  # the same, but never faded: for people
        self.failures = 0  # in a row
        self.queries = self.failed = 0  # since the start
        self.heard_at = 0.0  # when it last answered or failed
        self.problem = ""  # why it failed last; "" = it answered
        self.pause = FIRST_PAUSE
        self.retry_at = 0.0
        self.told_at = -QUIET  # when its death was last told
        self.is_told = False  # that it is dead, and not yet that it is back

    @property
    def is_dead(self) -> bool:
        return self.failures >= FAILURES

    async def ask(self, query: Query, seconds: float) -> Answer:
        """Ask, and note how the server did."""
        began = self.clock()
        try:
            answer = await self._begin(query, seconds, self.rtt)
        except UpstreamError as error:
            self._failed(self.clock(), error.reason)
            raise
        self._answered(answer, began)
        if answer.tc and self.udp is not None:
            answer = await self.tcp.begin(query, max(began + seconds - self.clock(), 0.0))
        ad = answer.ad and self.is_trusted
        if answer.tc or not answer.upstream or ad is not answer.ad:
            return replace(answer, tc=False, ad=ad, upstream=self.name)
        return answer

    def probe(self, query: Query, seconds: float) -> None:
        """A question whose answer only shows how the server does."""
        began = self.clock()
        self._begin(query, seconds, self.rtt).add_done_callback(
            lambda done: self._probed(done, began)
        )

    def _probed(self, done: "asyncio.Future[Answer]", began: float) -> None:
        if (error := done.exception()) is not None:
            self._failed(self.clock(), str(error))
        else:
            self._answered(done.result(), began)

    def _answered(self, answer: Answer, began: float) -> None:
        now = self.clock()
        if answer.rcode == REFUSED:
            self._failed(now, "REFUSED")
            return
        passed = now - began
        self.rtt = passed if not self.rtt else self.rtt + WEIGHT * (passed - self.rtt)
        self.latency += (WEIGHT if self.latency else 1.0) * (passed - self.latency)
        self.queries, self.heard_at, self.problem = self.queries + 1, now, ""
        self.failures, self.pause = 0, FIRST_PAUSE
        if self.is_told:
            self.is_told = False
            log.warning("upstream answers again", server=self.name)

    def _failed(self, now: float, reason: str) -> None:
        self.failures += 1
        self.queries, self.failed = self.queries + 1, self.failed + 1
        self.heard_at, self.problem = now, reason
        if self.is_dead and not self.is_told and now - self.told_at >= QUIET:
            self.is_told, self.told_at = True, now
            log.warning("upstream does not answer, or refuses", server=self.name)
        if self.is_dead and now >= self.retry_at:
            self.leave_alone(now)

    def state(self) -> UpstreamState:
        """For people, and for Prometheus."""
        return UpstreamState(
            self.name, self.transport, self.is_dead, self.latency,
            self.clock() - self.heard_at if self.queries else -1.0,
            self.queries, self.failed, self.problem,
        )  # fmt: skip

    def leave_alone(self, now: float) -> None:
        """Each time twice as long, until it answers."""
        self.retry_at = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)


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
    ) -> None:
        draw = draw or unguessable().__next__
        self.servers = [UpstreamServer(url, payload, draw, clock, trust_ad) for url in servers]
        self.timeout = timeout
        self.total = total
        self.clock = clock
        self._stopped = False

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        for server in self.servers:
            server.tcp.start(loop)
            if server.udp is not None:
                server.udp.start(loop)

    def stop(self) -> None:
        """Ends every wait with UpstreamError; nothing is sent any more."""
        self._stopped = True
        for server in self.servers:
            server.tcp.stop()
            if server.udp is not None:
                server.udp.stop()

    async def ask(self, query: Query) -> Answer:
        """The first definite answer; else a server's SERVFAIL; else UpstreamError."""
        until = self.clock() + self.total
        vague: Answer | None = None
        failed: tuple[str, str, int, bool] | None = None
        waiting_may_help = True
        while waiting_may_help and vague is None:
            waiting_may_help = False
            for server in self._candidates(query):
                left = until - self.clock()
                if left <= 0 or self._stopped:
                    break
                try:
                    answer = await server.ask(query, min(self.timeout, left))
                except UpstreamError as error:
                    failed = server.name, error.reason, error.ede_code, error.hard
                    waiting_may_help |= not error.hard
                    continue
                if answer.rcode in DEFINITE:
                    return answer
                if vague is None or answer.rcode == Rcode.SERVFAIL:
                    vague = answer
        if vague is not None:
            return _as_servfail(vague)
        raise _failure(failed)

    def _candidates(self, query: Query) -> list[UpstreamServer]:
        """Whom to ask, best first. Dead ones whose pause is over get a copy beside, for nobody waits for it."""
        if len(self.servers) < 2 or self._stopped:
            return [] if self._stopped else self.servers
        alive = [server for server in self.servers if not server.is_dead]
        if not alive:
            return sorted(self.servers, key=lambda server: server.retry_at)
        now = self.clock()
        for server in self.servers:
            if server.is_dead and server.retry_at <= now:
                server.leave_alone(now)
                server.probe(query, self.timeout)
        best = sorted(alive, key=lambda server: server.rtt)
        for server in best[1:]:
            server.rtt *= FADING
        return best

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
        return sum(s.udp.faults for s in self.servers if s.udp)


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
    said = (NETWORK_ERROR, f"upstream said rcode {answer.rcode}")
    return Answer(
        Rcode.SERVFAIL, ede=(*answer.ede, said), upstream=answer.upstream, stored=answer.stored
    )


def _is_within(host: str, networks: Sequence[str]) -> bool:
    """Whether a server's address is in one of them."""
    address = plain_network(host.partition("%")[0]).network_address
    return any(address in plain_network(network) for network in networks)


def resolve(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    """(family, socket address) of an IP address; a scope such as fe80::1%eth0 is understood. No look-up."""
    found = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    )
    family, _, _, _, address = found[0]
    return family, address
