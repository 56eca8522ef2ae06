"""Lines that are addresses: an answer that holds one of them is blocked, or let pass.

`192.0.2.1`, `2001:db8::/32`, and stars for whole octets: `192.0.2.*`, `10.*.*.1`, `*.0.2.1`; of IPv6 at the end alone.
Counterparts: `formats.py` and `adblock.py` meet such lines, `triggers.py` finds what holds an address.
"""

import re
from bisect import bisect_left
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from namewarden.policy.lines import Effect, Reading
from namewarden.policy.lines import ListRule as Rule
from namewarden.policy.terms import Terms

_LETTERS = re.compile(r"[0-9a-f.:*]+(?:/[0-9]{1,3})?", re.I)
_BITS, _MAPPED = 128, 0xFFFF << 32  # IPv4 as ::ffff:0:0/96
_ALL = (1 << _BITS) - 1
_SPECIAL = (  # networks that no list of bad servers is about (RFC 6890 and kin)
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
_WIDEST_4, _WIDEST_6 = 96 + 8, 16  # shorter prefixes hold too much of the Internet
_NAT64 = 0x64_FF9B << 96  # all of IPv4 (RFC 6052)


def read(text: str, effect: Effect = "own", terms: Terms | None = None) -> Reading:
    """The rule of an address or network; else that it is none: "address"."""
    found = listed(text)
    return (Rule(found, "exact", effect, trigger="address", terms=terms),) if found else "address"


def listed(text: str) -> str | None:
    """As it is kept: an address, a network without host bits, or four octets of which some are stars."""
    if not _LETTERS.fullmatch(text):
        return None
    if _plain(text) is not None:
        return text
    if "*" in text:
        return _starred(text)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address if whole else network)


def _starred(text: str) -> str | None:
    groups = text.removesuffix(":*").split(":")
    if text.endswith(":*") and all(groups) and text.count("*") == 1 and len(groups) < 8:
        return listed(f"{':'.join(groups)}::/{16 * len(groups)}")
    octets = text.split(".")
    if len(octets) < 4 and octets.count("*") == 1:  # it stands for all that are not there
        at = octets.index("*")
        octets[at:at] = ["*"] * (4 - len(octets))
    fixed = [octet for octet in octets if octet != "*"]
    filled = ".".join([*fixed, "0", "0", "0"][:4])
    if len(octets) != 4 or not fixed or "*" in filled or listed(filled) is None:
        return None
    is_prefix = octets[: len(fixed)] == fixed
    return listed(f"{filled}/{8 * len(fixed)}") if is_prefix else ".".join(octets)


def masked(name: str) -> tuple[int, int]:
    """(mask, number) of what `listed` gave back, as 128 bits."""
    if (number := _plain(name)) is not None:
        return _ALL, number
    if "*" not in name:
        network = ip_network(name)
        return _ALL ^ ((1 << network.max_prefixlen - network.prefixlen) - 1), _number(network)
    mask, number = _ALL ^ 0xFFFFFFFF, _MAPPED
    for at, octet in enumerate(name.split(".")):
        if octet != "*":
            mask |= 0xFF << 8 * (3 - at)
            number |= int(octet) << 8 * (3 - at)
    return mask, number


def _plain(text: str) -> int | None:
    """An IPv4 address, fast: feeds are full of them."""
    try:
        return int(IPv4Address(text)) | _MAPPED
    except ValueError:
        return None


def _number(network: IPv4Network | IPv6Network) -> int:
    return int(network.network_address) | (_MAPPED if network.version == 4 else 0)


def is_broad(name: str) -> bool:
    """Whether it holds addresses that are no servers of the Internet, or too much of that."""
    mask, number = masked(name)
    bits = (mask ^ _ALL).bit_length()  # from the first that is free on
    first, last = number >> bits << bits, number | (1 << bits) - 1
    is_mapped = number >> 32 == _MAPPED >> 32
    if _BITS - bits < (_WIDEST_4 if is_mapped else _WIDEST_6):
        return True
    if _BITS - bits < _WIDEST_4 and first <= _NAT64 | 0xFFFFFFFF and last >= _NAT64:
        return True
    ranges = _special()
    at = bisect_left(ranges, first, key=lambda one: one[1])
    return at < len(ranges) and ranges[at][0] <= last


@lru_cache(maxsize=1)
def _special() -> list[tuple[int, int]]:
    """First and last of each, in order."""
    networks = map(ip_network, _SPECIAL)
    return sorted((_number(net), _number(net) + net.num_addresses - 1) for net in networks)
