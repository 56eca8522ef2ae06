"""What one list compiles to, wherever it will lie: kept in the snapshot, used again while list and reader are the same.

Offsets of entries and records are from the begin of the list's text, those of entries that are records from the
begin of its records. Counterparts: `scan.py` makes it, `compile.py` puts it among others.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from namewarden.policy import layout
from namewarden.policy.records import Pattern
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import Snapshot
from namewarden.policy.triggers import ROW

ENTRY = np.dtype([("print", "<u8"), ("low", "<u8"), ("sum", "<u4")])
_TRIGGER = np.dtype([("key", "V18"), ("list", ">u2"), ("record", ">u4")])  # as triggers.ROW
_EFFECT = np.uint64(7 << layout.KIND_SHIFT)


class Part(NamedTuple):
    """All that the snapshot has of a list but its text."""

    entries: npt.NDArray[np.void]  # of ENTRY, sorted by print
    records: bytes | memoryview
    triggers: list[tuple[bytes, int]]  # key of the row, where its record lies
    zone: str
    patterns: list[Pattern]
    refused: list[int]
    clients: list[str]
    exact: int
    below: int

    def lows(self, text: int, records: int) -> layout.Words:
        """The entries' kinds and offsets, where the text and the records lie there."""
        lows = self.entries["low"]
        return lows + np.where(lows & _EFFECT, np.uint64(text), np.uint64(records))  # 0: RECORD


def of_scan(scan: Scan) -> Part:
    """`scan`: of a text that begins at 0, all read."""
    records = scan.finish(0)
    prints = np.frombuffer(bytes(scan.prints), "<u8")
    order = np.argsort(prints)
    entries = np.empty(len(prints), ENTRY)
    entries["print"] = prints[order]
    if len(prints):
        entries["low"] = np.concatenate(scan.lows)[order]
        entries["sum"] = np.concatenate(scan.sums)[order]
    return Part(
        entries, records, scan.rows, scan.zone, scan.patterns, sorted(scan.refused),
        sorted(scan.clients), scan.exact, scan.below,
    )  # fmt: skip


def of_snapshot(snapshot: Snapshot, rank: int) -> Part:
    """As it was when that was compiled."""
    section = snapshot.meta.blob.sections[rank]
    entries = snapshot.octets(section.part, section.entries * ENTRY.itemsize)
    return Part(
        np.frombuffer(entries, ENTRY),
        snapshot.octets(section.records, section.records_length),
        _triggers(snapshot, rank, section.records),
        section.zone, section.patterns, section.refused, section.clients, section.exact, section.below,
    )  # fmt: skip


def _triggers(snapshot: Snapshot, rank: int, records: int) -> list[tuple[bytes, int]]:
    blob = snapshot.meta.blob
    rows = np.frombuffer(snapshot.octets(blob.triggers, blob.trigger_count * ROW.size), _TRIGGER)
    own = rows[rows["list"] == rank]
    keys, places = own["key"].tobytes(), own["record"].tolist()
    size = _TRIGGER["key"].itemsize
    return [(keys[size * n : size * (n + 1)], at - records) for n, at in enumerate(places)]
