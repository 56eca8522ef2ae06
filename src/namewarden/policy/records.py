"""What a line of a list becomes that does not fit an entry of the table.

Counterparts: `scan.py` makes it, `snapshot.py` reads it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from namewarden.policy import layout
from namewarden.policy.terms import Terms


class Pattern(NamedTuple):
    """A regular expression of a list."""

    source: str
    effect: int
    line: int
    offset: int
    terms: Terms | None = None
    records: tuple[tuple[str, int, str], ...] = ()


class ListRecord(msgspec.Struct, array_like=True):
    """What does not fit an entry: local data, terms, expressions below a name, names that their line does not spell."""

    offset: int  # of the line in the list's text
    line: int
    name: str
    match: int
    effect: int  # as in layout; RECORD = answers `records`
    zone: bool
    records: list[tuple[str, int, str]]
    terms: Terms | None = None
    pattern: str = ""  # it speaks about the names that this finds


_DECODER = msgspec.msgpack.Decoder(list[ListRecord])
_ENCODER = msgspec.msgpack.Encoder()


MAY_DENY = (
    1 << 31
)  # in the length: they can do nothing but deny, where their expressions find the name


def packed(several: Sequence[ListRecord]) -> bytes:
    """The records of one owner: four octets of length, and they."""
    octets = _ENCODER.encode(several)
    mark = MAY_DENY if all(map(_may_deny, several)) else 0
    return (len(octets) | mark).to_bytes(4, "little") + octets


def _may_deny(one: ListRecord) -> bool:
    return bool(one.pattern) and one.effect == layout.DENY and one.terms is None


def unpacked(octets: memoryview, at: int) -> Sequence[ListRecord]:
    """Those that lie at `at`; nothing where the octets are no records."""
    begin = at + 4
    length = int.from_bytes(octets[at:begin], "little") & ~MAY_DENY
    try:
        return _DECODER.decode(octets[begin : begin + length])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()
