"""What a line of a list becomes that does not fit an entry of the table.

Counterparts: `scan.py` makes it, `snapshot.py` reads it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

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


def packed(several: Sequence[ListRecord]) -> bytes:
    """The records of one owner: four octets of length, and they."""
    octets = _ENCODER.encode(several)
    return len(octets).to_bytes(4, "little") + octets


def unpacked(octets: bytes) -> Sequence[ListRecord]:
    """What lies behind the length; nothing where the octets are no records."""
    try:
        return _DECODER.decode(octets)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()
