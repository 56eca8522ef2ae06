"""The way to a list's server: its name is resolved, each address is checked, and that very address is connected to.

Who answers for a name could otherwise lead the hub to a machine of this network: a check before another look-up stops
nobody. Counterpart: `fetch.py`.
"""

import ipaddress
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream

from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.policy.names import listed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str], Awaitable[Iterable[str]]]  # FQDN → addresses. OSError with the reason
MOST = 6  # addresses of a name that are tried
LOOPBACK = ("127.0.0.1", "::1")  # RFC 6761 §6.3: never asked
# Behind these prefixes an IPv4 address says where a packet ends: NAT64 (RFC 6052), IPv4-compatible, 6to4, Teredo.
_NAT64, _COMPATIBLE = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96")
# All that is global so far; Python takes fec0::/10 for it, too.
_GLOBAL = ipaddress.ip_network("2000::/3")
# Global by the registry or by Python, and no server's: protocol assignments, relays of 6to4 (RFC 7526), RFC 9637.
_NOBODYS = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))


def is_public(address: Address) -> bool:
    """Whether it is of the internet at large, also where it only wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _within(address)) is not None:
            return is_public(inner)
        if address not in _GLOBAL:
            return False
    is_odd = address.is_multicast or address.is_reserved or any(address in net for net in _NOBODYS)
    return address.is_global and not is_odd


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]


class CheckedBackend(AsyncNetworkBackend):
    """Connects to what a name resolves to now, unless that is private and may not be."""

    def __init__(self, lookup: Lookup, allow_private: bool) -> None:
        self._lookup = lookup
        self._allow_private = allow_private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's protocol)
        *_: Any,
        **more: Any,
    ) -> AsyncNetworkStream:
        """The first address that answers, each within its share of the time. DownloadError, httpcore's errors."""
        addresses = await self._checked(host)
        share = timeout and timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(str(address), port, share)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        try:
            return await self._inner.connect_tcp(str(addresses[-1]), port, share)
        except httpcore.ConnectError as problem:
            said = f"{addresses[-1]} port {port}: {_words(problem)}"
            raise httpcore.ConnectError(said) from problem

    async def _checked(self, host: str) -> list[Address]:
        try:
            found = [ipaddress.ip_address(text) for text in await self._resolved(host)]
        except OSError as problem:
            raise DownloadError(str(problem)) from problem
        good = [each for each in found if self._allow_private or is_public(each)]
        if not found:
            raise DownloadError(f"{host} has no address")
        if not good:
            server = "its server" if host == str(found[0]) else host
            raise DownloadError(
                f"{server} is {found[0]}, an address of no public server; a list that says allow_private = true "
                "may come from there"
            )
        return good[:MOST]

    async def _resolved(self, host: str) -> Iterable[str]:
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            name = listed(host)
        if name is None:
            raise DownloadError(f"{host[:100]!r} is no name of a server")
        if name == "localhost." or name.endswith(".localhost."):
            return LOOPBACK
        return await self._lookup(name)


def _words(problem: BaseException) -> str:
    """What the system said, which lies below "All connection attempts failed"."""
    cause: BaseException | None = problem
    while cause:
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
        cause = cause.__cause__
    return str(problem)
