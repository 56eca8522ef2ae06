"""One upstream: how it is asked, and how it has been of late.

Counterparts: `upstreams.py`, which chooses among several; the transports that carry the questions.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from msgspec import Struct
from msgspec.structs import replace

from namewarden.net.abilities import ALL, EDNS, Abilities, AskAgain, BadAnswer, Wishes
from namewarden.net.exchanges import Endpoint, Late
from namewarden.net.upstream_tcp import TcpUpstream
from namewarden.net.upstream_udp import UdpUpstream
from namewarden.query import Answer, Query, UpstreamState
from namewarden.settings import plain_network
from namewarden.wire.errors import Rcode, UpstreamError

log = structlog.get_logger("upstream")
FAILURES = 3
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds a dead server is left alone
QUIET = (
    60.0  # seconds between two words about one server's death: clients could make it come and go
)
WEIGHT = 0.2  # of a new round trip in the average
SLOWLY = 0.02  # the same of one that took longer than usual: likely something was lost
REFUSED = int(Rcode.REFUSED)
LAST = 1000.0  # seconds, added to the rank of who is not asked first
WAYS = 5  # a question is asked in, of one server
COOKIELESS = 3  # the way from which on no cookie is tried


class Asking(Struct, frozen=True):
    """How all upstreams are asked: the UDP size offered, dice and clock, whose AD is believed, what is tried."""

    payload: int
    draw: Callable[[], int]
    clock: Callable[[], float]
    trust_ad: Sequence[str] = ()
    wishes: Wishes = ALL


class UpstreamServer:
    """Asked by `ask`; `rank` orders several: the lower, the sooner it is asked."""

    def __init__(self, url: str, asking: Asking) -> None:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 53
        self.name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.transport = parts.scheme
        self.clock = asking.clock
        self.is_trusted = _is_within(host, asking.trust_ad)  # its AD bit is passed on
        abilities = Abilities(self.name, asking.wishes, clock=asking.clock)
        endpoint = Endpoint(
            self.name, resolve(host, port), asking.payload, asking.draw, asking.clock, abilities
        )
        self.tcp = TcpUpstream(endpoint)
        self.udp = UdpUpstream(endpoint) if parts.scheme == "udp" else None
        self._begin = (self.udp or self.tcp).begin
        self.usual = 0.0  # seconds to an answer of which nothing was lost; 0 = none came yet
        self.rtt = 0.0  # seconds, smoothed; 0 = not measured yet
        self.rank = LAST  # the same, and LAST more while it is not measured, behind or dead
        self.latency = 0.0  # the same, but never faded: for people
        self.failures = 0  # in a row
        self.is_behind = (
            False  # another answered what it had not: it is asked last until it answers
        )
        self.is_probed = False  # a copy is on its way
        self.queries = self.failed = 0  # since the start
        self.answered_at = -LAST
        self.heard_at = 0.0  # when it last answered or failed
        self.problem = ""  # why it failed last; "" = it answered
        self.pause = FIRST_PAUSE
        self.retry_at = 0.0
        self.told_at = -QUIET  # when its death was last told
        self.is_told = False  # that it is dead, and not yet that it is back
        self._is_stopped = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self.tcp.start(loop)
        if self.udp is not None:
            self.udp.start(loop)

    def stop(self) -> None:
        """What waits ends, and is no failure of the server's."""
        self._is_stopped = True
        self.tcp.stop()
        if self.udp is not None:
            self.udp.stop()

    @property
    def is_dead(self) -> bool:
        return self.failures >= FAILURES

    async def ask(self, query: Query, seconds: float, late: Late | None = None) -> Answer:
        """Ask, and note how the server did. `late` is told when it keeps us waiting, and may end the exchange."""
        began = self.clock()
        try:
            try:
                answer = await self._begin(query, seconds, self.usual, None, late)
            except AskAgain as again:
                answer = await self._ask_otherwise(query, began + seconds, again, late)
        except (AskAgain, BadAnswer):
            raise  # it answers, if not well
        except UpstreamError as error:
            self._failed(self.clock(), error.reason)
            raise
        if answer.upstream != self.name:
            return answer  # another's
        self._answered(answer, began)
        if answer.tc and self.udp is not None:
            answer = await self._ask_over_tcp(query, began + seconds, late)
        ad = answer.ad and self.is_trusted
        if answer.tc or (ad is not answer.ad and answer.upstream == self.name):
            return replace(answer, tc=False, ad=ad)
        return answer

    async def _ask_over_tcp(self, query: Query, until: float, late: Late | None) -> Answer:
        left = max(until - self.clock(), 0.0)
        try:
            return await self.tcp.begin(query, left, self.usual, None, late)
        except AskAgain as again:
            return await self._ask_otherwise(query, until, again, late)

    async def _ask_otherwise(
        self, query: Query, until: float, again: AskAgain, late: Late | None
    ) -> Answer:
        """As its answer calls for, and once more, a few times. Where TCP cannot decide, the plainest form does."""
        for way in range(WAYS):
            form = again.form if way < COOKIELESS else again.form & EDNS
            begin = self.tcp.begin if again.over_tcp else self._begin
            left = max(until - self.clock(), 0.0)
            try:
                return await begin(query, left, self.usual, form, late)
            except AskAgain as another:
                another.over_tcp |= another.form == form
                again = another
            except UpstreamError:
                if not again.over_tcp or self.udp is None:
                    raise
                again = AskAgain(again.reason, form & EDNS)
        raise again

    def probe(self, query: Query, seconds: float) -> None:
        """A question whose answer only shows how the server does."""
        began, self.is_probed = self.clock(), True
        self._begin(query, seconds, self.usual).add_done_callback(
            lambda done: self._probed(done, began)
        )

    def _probed(self, done: "asyncio.Future[Answer]", began: float) -> None:
        self.is_probed = False
        error = done.exception()
        if error is None:
            self._answered(done.result(), began)
        elif isinstance(error, (AskAgain, BadAnswer)):
            self._answered(Answer(Rcode.SERVFAIL), began)
        else:
            self._failed(self.clock(), str(error))

    def _answered(self, answer: Answer, began: float) -> None:
        now = self.clock()
        if answer.rcode == REFUSED:
            self._failed(now, "REFUSED")
            return
        passed = now - began
        # What was lost and asked once more must not make us wait longer for the next that is lost.
        slower = self.usual + SLOWLY * (passed - self.usual) if self.usual else passed
        self.usual = min(passed, slower)
        self.rtt = passed if not self.rtt else self.rtt + WEIGHT * (passed - self.rtt)
        self.rank = self.rtt
        self.latency += (WEIGHT if self.latency else 1.0) * (passed - self.latency)
        self.queries, self.heard_at, self.problem = self.queries + 1, now, ""
        self.failures, self.pause, self.is_behind, self.answered_at = 0, FIRST_PAUSE, False, now
        if self.is_told:
            self.is_told = False
            log.warning("upstream answers again", server=self.name)

    def _failed(self, now: float, reason: str) -> None:
        if self._is_stopped:
            return
        self.failures += 1
        self.queries, self.failed = self.queries + 1, self.failed + 1
        self.heard_at, self.problem = now, reason
        if self.is_behind:
            self.failures = max(self.failures, FAILURES)
        self._consider(now)

    def _consider(self, now: float) -> None:
        """Leave it alone when it is dead, and tell so."""
        if not self.is_dead:
            return
        self.rank = LAST + self.rtt
        if not self.is_told and now - self.told_at >= QUIET:
            self.is_told, self.told_at = True, now
            log.warning(
                "upstream does not answer, or refuses", server=self.name, problem=self.problem
            )
        if now >= self.retry_at:
            self.leave_alone(now)

    def outdo(self, since: float) -> None:
        """Another answered what this one failed at, and it has answered nothing `since`: no third failure is needed."""
        if self.failures and self.answered_at < since:
            self.failures = max(self.failures, FAILURES)
            self._consider(self.clock())

    def overtake(self, query: Query, seconds: float, since: float) -> None:
        """Another answered what this one still has not: it is asked last until it answers. A copy shows when."""
        if not self.is_behind and self.answered_at < since:
            self.is_behind, self.rank = True, LAST + self.rtt
            self.probe(query, seconds)

    def fade(self, factor: float) -> None:
        """Not asked first for a while: its round trip is held for shorter, so that it is tried again one day."""
        self.rtt *= factor
        self.rank = self.rtt

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
