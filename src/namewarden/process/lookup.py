"""The hub's own resolver: asks the upstreams themselves, so that lists can be had before anything answers here.

No list, rule or model judges what it asks, and it never asks our own listeners. Names in zones of one's own are asked
of the zones' servers. Counterpart: `hub/subscriptions/`.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from namewarden.net.system import system_servers, without_ourselves
from namewarden.net.upstreams import Upstreams
from namewarden.process.upstreams import listeners_of, upstreams_to
from namewarden.query import Answer
from namewarden.settings import Settings
from namewarden.stages.zones import Zones, by_zone
from namewarden.wire.errors import UpstreamError
from namewarden.wire.message import query_for
from namewarden.wire.types import AAAA, A, rcode_name


class HostLookup:
    """`start()` on a loop, then `addresses` on it, then `stop()`."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        general = _upstreams(settings, settings.upstream.servers or system_servers())
        own = [_upstreams(settings, each.servers) for each in settings.zones]
        self._all = [general, *own]
        self._ask_server = by_zone(Zones(settings.zones), general.ask, [each.ask for each in own])
        self._clock = clock

    def start(self) -> None:
        for each in self._all:
            each.start()

    def stop(self) -> None:
        for each in self._all:
            each.stop()

    async def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 first. OSError with the reason, when there is none."""
        answers = await asyncio.gather(self._ask(name, A), self._ask(name, AAAA))
        addresses = [address for answer, _ in answers if answer for address in answer.addresses]
        if not addresses:
            raise OSError(f"no address of {name}: {answers[0][1] or answers[1][1]}")
        return tuple(addresses)

    async def _ask(self, name: str, kind: int) -> tuple[Answer | None, str]:
        """The answer, and why it is none with an address."""
        try:
            answer = await self._ask_server(query_for(name, kind, "", "", self._clock()))
        except UpstreamError as problem:
            return None, str(problem)
        return answer, f"the upstream says {rcode_name(answer.rcode)}"


def _upstreams(settings: Settings, servers: Sequence[str]) -> Upstreams:
    return upstreams_to(without_ourselves(servers, listeners_of(settings))[0], settings)
