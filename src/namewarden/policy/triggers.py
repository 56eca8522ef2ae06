"""Triggers beside the name asked: of response policy zones client, answer address, name server and its address; of
all other lists the answer's address.

They lie in a table of their own, sorted rows of the snapshot, which nobody looks at where no zone has any. Within a
zone the longest prefix decides, then the lowest address; of names the exact one, then the closest wildcard.
Counterparts: `scan.py` makes the rows, `snapshot.py` maps them, `decide.py` says which zone wins.
"""

import struct
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from namewarden.policy.addresses import masked
from namewarden.policy.names import suffixes
from namewarden.policy.spec import Match, Trigger

KINDS: dict[Trigger, int] = {"client-ip": 1, "ip": 2, "nsdname": 3, "nsip": 4, "address": 5}
ROW = struct.Struct(
    ">BB16sHI"
)  # kind, prefix length or match, address or fingerprint, list, record
_KEY = struct.Struct(">BB16s")
_BITS = 128  # of an address; IPv4 as ::ffff:0:0/96, as BIND keeps it
_EXACT, _BELOW = 0, 1
_STARRED = 0xF0  # in place of the prefix length, and a bit for each octet of IPv4 that is fixed
_OCTETS = (8, 4, 2, 1)


class Found(NamedTuple):
    """A row that speaks. Their order is that of precedence."""

    rank: int  # of the list
    distance: int  # the longer the prefix or the closer the name, the less
    low: bytes
    record: int  # where its record lies


def network_of_owner(text: str) -> str | None:
    """`24.0.2.0.192` → `192.0.2.0/24`, `48.zz.1.db8.2001` likewise (RFC draft §5); None when it is none.

    As BIND does, those with host bits and those written in another way than the shortest are refused.
    """
    length, *words = text.split(".")
    words.reverse()
    if not length.isdecimal() or not 1 <= int(length[:4]) <= _BITS:
        return None
    try:
        if len(words) == 4 and "zz" not in words:
            return str(ip_network(f"{'.'.join(words)}/{length}"))
        around = ":".join(words).split("zz", 1)
        joined = "::".join(part.strip(":") for part in around) if len(around) == 2 else around[0]
        network = ip_network(f"{joined}/{length}")
    except ValueError:
        return None
    return str(network) if str(network) == f"{joined}/{length}" else None


def key_of(trigger: Trigger, name: str, match: Match, mark: Callable[[bytes], bytes]) -> bytes:
    """The sorted part of a row but for its list. `mark` gives 8 octets of a name."""
    kind = KINDS[trigger]
    if trigger == "nsdname":
        return _KEY.pack(kind, _EXACT if match == "exact" else _BELOW, _marked(name, mark))
    mask, number = masked(name)
    length = mask.bit_count()
    if "*" in name:
        octets = zip(name.split("."), _OCTETS, strict=True)
        length = _STARRED | sum(bit for octet, bit in octets if octet != "*")
    return _KEY.pack(kind, length, number.to_bytes(16))


def _mask(length: int) -> int:
    """Of a prefix, or of octets that are fixed."""
    if length <= _BITS:
        return (1 << _BITS) - (1 << _BITS - length)
    octets = sum(0xFF << 8 * at for at in range(4) if length >> at & 1)
    return (1 << _BITS) - (1 << 32) | octets


def _marked(name: str, mark: Callable[[bytes], bytes]) -> bytes:
    return mark(name[:-1].encode()).rjust(16, b"\0")


def _number(address: IPv4Address | IPv6Address) -> int:
    return int(address) | (0xFFFF << 32 if address.version == 4 else 0)


class Triggers:
    """The rows of a snapshot, and what is known of all: `keys` are the (kind, prefix length or match) that there
    are, `ranks` the zones that an answer may trigger (`ranks_of`)."""

    def __init__(
        self, rows: bytes | memoryview, keys: Iterable[tuple[int, int]], ranks: Iterable[int]
    ) -> None:
        self._rows = _Rows(rows)
        self._lengths: dict[int, list[int]] = {kind: [] for kind in KINDS.values()}
        for kind, length in sorted(keys):
            self._lengths[kind].append(length)
        self._places = {key: self._place(*key) for key in sorted(keys)}
        self._masks = {length: _mask(length) for each in self._lengths.values() for length in each}
        self.has_clients = bool(self._lengths[KINDS["client-ip"]])
        self.has_servers = bool(self._lengths[KINDS["nsdname"]] or self._lengths[KINDS["nsip"]])
        self.answer_ranks = frozenset(ranks)
        self.has_addresses = bool(self._lengths[KINDS["address"]])
        self.awaits_answers = bool(self.answer_ranks) or self.has_addresses

    def of_addresses(self, trigger: Trigger, addresses: Iterable[str]) -> list[Found]:
        """Rows whose network holds one of the addresses, in the order of precedence."""
        kind = KINDS[trigger]
        found: list[Found] = []
        for text in addresses if self._lengths[kind] else ():
            try:
                number = _number(ip_address(text.partition("%")[0]))
            except ValueError:
                continue
            for length in self._lengths[kind]:
                mask = self._masks[length]
                low = (number & mask).to_bytes(16)
                found += self._at(kind, length, low, _BITS - mask.bit_count())
        return sorted(found)

    def of_servers(self, servers: Iterable[str], mark: Callable[[bytes], bytes]) -> list[Found]:
        """Rows that name one of the servers, or what is above it."""
        kind = KINDS["nsdname"]
        found: list[Found] = []
        for name in sorted(servers) if self._lengths[kind] else ():
            found += self._at(kind, _EXACT, _marked(name, mark), 0)
            above = [*suffixes(name)[1:], "."]
            for labels, suffix in enumerate(above, 1):
                found += self._at(kind, _BELOW, _marked(suffix, mark), labels)
        return sorted(found, key=lambda one: one[:2])

    def _place(self, kind: int, length: int) -> tuple[int, int]:
        """Where the rows of a kind and length begin and end."""
        first = bisect_left(self._rows, bytes((kind, length)))
        return first, bisect_left(self._rows, bytes((kind, length)) + b"\xff" * 22, first)

    def _at(self, kind: int, length: int, low: bytes, distance: int) -> Iterator[Found]:
        key = _KEY.pack(kind, length, low)
        first, end = self._places.get((kind, length), (0, 0))
        at = bisect_left(self._rows, key, first, end)
        while at < len(self._rows) and self._rows[at][: _KEY.size] == key:
            rank, record = struct.unpack_from(">HI", self._rows[at], _KEY.size)
            yield Found(rank, distance, low, record)
            at += 1


def ranks_of(rows: Iterable[bytes]) -> list[int]:
    """The zones whose rows are triggered by answers."""
    others = (KINDS["client-ip"], KINDS["address"])
    unpacked = map(ROW.unpack, rows)
    return sorted({rank for kind, _, _, rank, _ in unpacked if kind not in others})


class _Rows:
    """Rows of equal length, bisected where they are mapped."""

    def __init__(self, octets: bytes | memoryview) -> None:
        self._octets = octets

    def __len__(self) -> int:
        return len(self._octets) // ROW.size

    def __getitem__(self, at: int) -> bytes:
        return bytes(self._octets[at * ROW.size : (at + 1) * ROW.size])
