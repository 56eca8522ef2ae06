"""Prepared denials, as the packet cache answers by them: which questions are plain, and the answer to one.

Counterparts: `stages/denials.py` prepares them; the C helper `_packets.c` does the same by the octets.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from namewarden.query import Event, Query
from namewarden.wire.answers import BEHIND_LABEL
from namewarden.wire.message import CD, RD
from namewarden.wire.types import OPT

_BARE_OPT = 11  # octets
_OF_PARENT = (BEHIND_LABEL + 1).to_bytes(2)  # how a prepared SOA begins


class Prepared(Protocol):
    """A message without its id and its question."""

    @property
    def head(self) -> bytes: ...
    @property
    def tail(self) -> bytes: ...
    @property
    def code(self) -> int: ...


class Denials(Protocol):
    """The prepared denials of one group (`stages/denials.py`)."""

    @property
    def answers(self) -> Sequence[Prepared | None]: ...
    @property
    def is_ruled(self) -> Callable[[str], bool]: ...
    @property
    def api(self) -> object | None: ...  # of the C look-up, None where there is none
    @property
    def find(self) -> Callable[[str], tuple[int, int] | None]: ...
    @property
    def source(self) -> "Source": ...


Row = tuple[int, int, str]  # number, hit, name


class Source(Protocol):
    def event_at(self, code: int, hit: int, name: str) -> Event:
        """The event of one row, but for client, time and count."""


class Rows:
    """Events of denials of one wake-up, in columns: a number, a hit, a client and a name each. All of one policy."""

    def __init__(
        self,
        source: Any = None,  # what the numbers mean
        codes: bytes = b"",
        hits: bytes = b"",
        clients: list[str] | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.source = source
        self.codes, self.hits = array("Q", codes), array("Q", hits)
        self.clients = [] if clients is None else clients
        self.names = [] if names is None else names

    def add(self, source: Any, row: Row, client: str) -> None:
        self.source = source
        code, hit, name = row
        self.codes.append(code)
        self.hits.append(hit)
        self.clients.append(client)
        self.names.append(name)


def is_plain(query: Query, data: bytes) -> bool:
    """A question of a common type about a name of letters, digits, `-` and `_`, at most a bare OPT behind it."""
    return (
        len(data) == 12 + len(query.question) + (_BARE_OPT if query.payload else 0)
        and query.qclass == 1
        and (0 < query.qtype < 128 or query.qtype > 255)
        and query.qtype != OPT
        and "\\" not in query.name
    )


def spliced(data: bytes, query: Query, prepared: Prepared) -> bytes:
    """The prepared message with the query's id, RD, CD and question; an SOA's owner is moved to the name's parent."""
    flags = int.from_bytes(prepared.head[2:4]) | RD * query.rd | CD * query.cd
    tail = prepared.tail
    if tail.startswith(_OF_PARENT):
        tail = (BEHIND_LABEL + query.question[0]).to_bytes(2) + tail[2:]
    return b"".join((data[:2], flags.to_bytes(2), prepared.head[4:], query.question, tail))
