"""Private addresses in the answer for a public name: how a stranger's web page reaches devices of this network.

Above lists, so that it sees what they and the model said: who may have such addresses is the operator's word alone.
Cached answers are judged as any other. Counterparts: `[rebinding]` of the settings; `docs/policy.md`.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal

from msgspec.structs import replace

from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.wire import sections
from namewarden.wire.message import MOST_ADDRESSES

Mode = Literal["off", "flag", "block"]
Answering = Callable[[Query, Verdict], Answer]
Address = IPv4Address | IPv6Address

PRIVATE = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10",
    )
)  # fmt: skip
# IPv4 in the last 32 bits: mapped (RFC 4291 §2.5.5), compatible, NAT64 (RFC 6052, RFC 8215).
_EMBEDDING = tuple(map(IPv6Network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48")))
# How the texts of all these begin: nearly no public address does, so nearly none is looked at closer.
_SUSPECT = (
    "0.",
    "10.",
    "100.",
    "127.",
    "169.254.",
    "172.",
    "192.168.",
    ":",
    "fc",
    "fd",
    "fe",
    "64:ff9b:",
)
_NOWHERE = frozenset(("0.0.0.0", "::"))
_OWN_WORDS = frozenset(("rule_allow", "pattern_allow"))
_PASSED = Verdict("allow", "none")


def rebinding(mode: Mode, is_own: Callable[[Query], bool], answer: Answering) -> Stage:
    """`is_own`: names that may have private addresses, whoever answers for them; `answer` makes a denial's answer."""

    def pass_on(query: Query, following: Handler) -> Awaitable[Answer]:
        return following(query)

    async def stage(query: Query, following: Handler) -> Answer:
        below = await following(query)
        addresses = below.addresses
        if len(addresses) >= MOST_ADDRESSES and below.body:
            addresses = _all_of(query, below)
        found = private_among(addresses) if addresses else ""
        return judged(query, below, found) if found else below

    def judged(query: Query, below: Answer, found: str) -> Answer:
        said = below.verdict or _PASSED
        if said.action in ("block", "redirect") or said.reason in _OWN_WORDS:
            return below
        if is_own(query) or (mode == "flag" and said.action != "allow"):
            return below
        if mode == "flag":
            return replace(
                below, verdict=replace(said, action="flag", reason="rebinding", rule=found)
            )
        # Never with 0.0.0.0, whatever the group's way of blocking is: that is this host on Linux.
        verdict = replace(said, action="block", reason="rebinding", rule=found, mode="nodata")
        return replace(answer(query, verdict), cnames=below.cnames, upstream=below.upstream)

    return pass_on if mode == "off" else stage


def _all_of(query: Query, below: Answer) -> tuple[str, ...]:
    """Those beyond the first sixteen, too."""
    message = sections.message_of(query, below)
    return below.addresses if message is None else sections.addresses(message)


@lru_cache(maxsize=4096)
def private_among(addresses: tuple[str, ...]) -> str:
    """`192.168.1.1 in 192.168.0.0/16` of the first that is private, "" where none is.

    An answer of nothing but 0.0.0.0 and :: is how resolvers block; beside another address it is this host.
    """
    if _NOWHERE.issuperset(addresses):
        return ""
    for text in addresses:
        if text.startswith(_SUSPECT) and (network := _network_of(ip_address(text))):
            return f"{text} in {network}"
    return ""


def _network_of(address: Address) -> str:
    for network in PRIVATE:
        if address in network:
            return str(network)
    if address.version == 6 and any(address in around for around in _EMBEDDING):
        return _network_of(IPv4Address(int(address) & 0xFFFFFFFF))
    return ""
