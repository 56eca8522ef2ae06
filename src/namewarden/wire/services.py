"""Where HTTPS and SVCB records (RFC 9460) send a client: the names and the addresses that they hold.

Counterparts: `received.py` puts them into the answer, `stages/screen.py` judges them as it does a CNAME chain.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from struct import error as LayoutError

from namewarden.wire.errors import WireError
from namewarden.wire.message import HEADER, PAIR, RECORD
from namewarden.wire.names import from_wire, skip
from namewarden.wire.types import AAAA, HTTPS, SVCB, A

MOST_TARGETS = 32  # as CNAMEs: each is judged and recorded
_Address = type[IPv4Address] | type[IPv6Address]
_HINTS: dict[int, tuple[int, _Address]] = {
    4: (4, IPv4Address),
    6: (16, IPv6Address),
}  # by key: octets of each address


def led_to(data: bytes, start: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(target names, addresses) of all sections of a message whose question ends at `start`: hints, and addresses that
    stand in additional for the targets. WireError."""
    targets: dict[str, None] = {}
    addresses: dict[str, None] = {}
    answers, authority, additional = HEADER.unpack_from(data)[3:]
    at = start
    try:
        for index in range(answers + authority + additional):
            end = skip(data, at)
            kind, _, _, length = RECORD.unpack_from(data, end)
            value = end + RECORD.size
            at = value + length
            if kind in (SVCB, HTTPS):
                target, hints = _read(data, value, at)
                addresses.update(dict.fromkeys(hints))
                if target != ".":  # in AliasMode: no such service; in ServiceMode: the owner
                    targets[target] = None
            elif index >= answers and kind in (A, AAAA):
                size, address = _HINTS[4 if kind == A else 6]
                addresses.update(dict.fromkeys(_addresses(data[value:at], size, address)))
    except LayoutError:
        raise WireError("a record runs past the end") from None
    if len(targets) > MOST_TARGETS:
        raise WireError("sends clients to more names than we take")
    return tuple(targets), tuple(addresses)


def _read(data: bytes, at: int, end: int) -> tuple[str, list[str]]:
    """(target, hints) of one record's data."""
    target, at = from_wire(data, at + 2)
    hints: list[str] = []
    while at < end:
        key, length = PAIR.unpack_from(data, at)
        at += PAIR.size + length
        if key in _HINTS and at <= end:
            hints += _addresses(data[at - length : at], *_HINTS[key])
    if at != end:
        raise WireError("parameters overrun an HTTPS record")
    return target, hints


def _addresses(octets: bytes, size: int, address: _Address) -> Iterator[str]:
    if not octets or len(octets) % size:
        raise WireError("addresses have another length")
    for at in range(0, len(octets), size):
        yield str(address(octets[at : at + size]))
