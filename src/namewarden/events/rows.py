"""Many events in one value, in columns: what they share is said once, and their texts are made when they leave.

Counterparts: `stages/denials.py` and the packet cache of `net/` make the rows, `recorder.py` holds them, `batch.py`
writes them.
"""

from typing import Protocol

from msgspec import Struct

from namewarden.query import Event


class RowSource(Protocol):
    """Knows what the numbers of its rows mean, and keeps what the rules' text is read from."""

    def event_of(self, code: int) -> Event:
        """What events of this code share: all but time, client, name, rule and count."""

    def lines(self, hits: bytes) -> str:
        """The rules' text of the hits, a line each."""


class DeniedRows(Struct, frozen=True, gc=False):
    """Denials of one moment, each counting one query."""

    time: float  # epoch seconds
    codes: bytes  # native 64-bit numbers, a row each
    hits: bytes  # the same: list and offset of the rule
    clients: list[str]
    names: str  # a line a row
    source: RowSource  # what the numbers mean

    def __len__(self) -> int:
        return len(self.clients)

    @property
    def queries(self) -> int:
        return len(self.clients)


class RepeatedRows(Struct, frozen=True, gc=False):
    """Repeats, folded: each row is its event but for client, time (epoch seconds) and count."""

    events: list[Event]
    clients: list[str]
    times: list[float]
    counts: list[int]

    def __len__(self) -> int:
        return len(self.events)

    @property
    def queries(self) -> int:
        return sum(self.counts)


Rows = DeniedRows | RepeatedRows
