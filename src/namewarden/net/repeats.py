"""Counts the repeats that the packet cache answers, and folds those of one client and one question into one event.

Counterparts: `packet_cache.py` counts here, and so does the C helper `_packets.c` where the same client goes on asking;
`events/rows.py` says what becomes of what is handed over.
"""

from collections.abc import Callable

from namewarden.net.packet_entry import CacheClient, PacketEntry
from namewarden.query import Event

SLICE = 256  # repeats handed over as one value: what the sender writes in one go


class Repeats:
    """Folded repeats in columns: each is its event but for client, time (epoch seconds) and count."""

    __slots__ = ("clients", "counts", "events", "times")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.clients: list[str] = []
        self.times: list[float] = []
        self.counts: list[int] = []


class RepeatCounter:
    """Whoever has it calls `report` after each wake-up, `flush` once a second and at the end."""

    def __init__(self, record: Callable[[Repeats], None], wall: Callable[[], float]) -> None:
        self.wall = wall
        self.dirty: list[
            PacketEntry
        ] = []  # those with repeats not yet recorded; the same list for good
        self._record = record
        self._settled = Repeats()

    def count(self, entry: PacketEntry, client: CacheClient) -> None:
        """One more repeat; where another client's are being counted, those are settled first."""
        if entry.client is client:
            entry.count += 1
            return
        if entry.count:
            self._settle(entry)
        else:
            self.dirty.append(entry)
        entry.client = client
        entry.count = 1
        entry.time = self.wall()

    def report(self) -> None:
        """Record what is settled."""
        if self._settled.events:
            settled, self._settled = self._settled, Repeats()
            self._record(settled)

    def flush(self) -> None:
        """Record all that was counted so far."""
        dirty = self.dirty[:]
        self.dirty.clear()
        for start in range(0, len(dirty), SLICE):
            for entry in dirty[start : start + SLICE]:
                self._settle(entry)
                entry.count = 0
                entry.client = None
            self.report()

    def _settle(self, entry: PacketEntry) -> None:
        assert entry.client is not None, "an entry with repeats has whose they are"
        settled = self._settled
        settled.events.append(entry.event)
        settled.clients.append(entry.client.ip)
        settled.times.append(entry.time)
        settled.counts.append(entry.count)
