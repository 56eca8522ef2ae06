"""One immutable file with all policy, mapped read-only: no entry costs a process any memory of its own.

The C helper `_lookup.c` does `find` and `line_at` where it was built; what is here says what they mean.
`Snapshot.open` checks magic, version, size and the digest of header and meta; what is wrong below that gives
no hit, never a crash. A hit is confirmed against the list's own line. Counterparts: `compile.py` writes it, `meta.py`
says how it is laid out.
"""

import mmap
import os
import struct
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec
from msgspec import Struct

from namewarden import native
from namewarden.policy import layout, patterns
from namewarden.policy.errors import ListError
from namewarden.policy.meta import BLOCK_SHIFT, HEADER, START, Meta, read_meta
from namewarden.policy.records import ListRecord, Pattern, unpacked
from namewarden.policy.scan import CHUNK, NAME_BYTES
from namewarden.policy.spec import Trigger
from namewarden.policy.triggers import ROW, Found, Triggers

if TYPE_CHECKING:
    from namewarden.policy._lookup import Lookup

Environ = Mapping[str, str]
SHOWN = 200  # characters of a line in reasons


class Hit(Struct, frozen=True, gc=False):
    """A confirmed entry: which list says what about which suffix."""

    list: int  # rank
    match: int  # bits of layout
    effect: int  # as in layout
    offset: int  # in the blob: of the name in its line, of the line for records
    depth: int  # labels of the suffix
    zone: bool = False
    record: ListRecord | None = None


class Snapshot:
    """The mapped file. `find` is all a query needs; the rest is for people and for the compiler."""

    def __init__(
        self,
        path: Path,
        mapped: mmap.mmap,
        meta: Meta,
        secret: bytes,
        environ: Environ = os.environ,
    ) -> None:
        self.path = path
        self.meta = meta
        self.generation = meta.generation
        self.spec = meta.spec
        self.report = meta.report
        self._map = mapped
        self._octets = memoryview(mapped)
        blob = meta.blob
        begin = START + blob.table
        self._table = self._octets[begin : begin + 8 * blob.places].cast("Q")
        self._homes = blob.homes
        begin = START + blob.sieve
        self._sieve = self._octets[begin : begin + (blob.mask + 1) // 8]
        self._mask = blob.mask
        self._exact, self._below = blob.exact, blob.below
        self._starts = [START + section.text for section in blob.sections]
        self._sources = [
            (START + section.text, START + section.index, report.name)
            for section, report in zip(blob.sections, meta.report, strict=True)
        ]
        self._zones = [section.zone.encode("latin-1") for section in blob.sections]
        self._hash = layout.hasher(secret)
        if self._table[-1]:
            raise ListError(f"{path}: the table has no end")
        begin = START + blob.triggers
        rows = self._octets[begin : begin + ROW.size * blob.trigger_count]
        self.triggers = Triggers(rows, blob.trigger_keys, blob.trigger_ranks)
        self.lookup = self._helper(secret, environ)

    def _helper(self, secret: bytes, environ: Environ) -> "Lookup | None":
        module = native.load("namewarden.policy._lookup", environ)
        if module is None:
            return None
        blob = self.meta.blob
        sections = tuple(
            (base, index, name.encode(), zone)
            for (base, index, name), zone in zip(self._sources, self._zones, strict=True)
        )
        table, sieve = START + blob.table, START + blob.sieve
        where = table, blob.places, blob.homes, sieve, blob.mask, blob.exact, blob.below
        return module.Lookup(self._map, sections, secret, *where)  # type: ignore[no-any-return]

    @property
    def digest(self) -> bytes:
        """Of what it was made of: settings, lists, and their texts."""
        return bytes(HEADER.unpack_from(self._map)[6])

    @classmethod
    def open(cls, path: Path, secret: bytes, environ: Environ = os.environ) -> "Snapshot":
        """Map it. ListError when it is not a whole snapshot of this installation."""
        try:
            with path.open("rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return cls(path, mapped, read_meta(mapped, secret), secret, environ)
        except OSError as error:
            raise ListError(f"{path}: cannot be read: {error.strerror}") from error
        except (ValueError, IndexError, struct.error, msgspec.MsgspecError) as error:
            raise ListError(f"{path}: is not a policy snapshot: {error}") from error

    def find(self, name: str) -> list[Hit]:
        """All that the lists say about a name, lists in order, the longest suffix first. Guard entries apart."""
        claims = self.lookup.claims(name) if self.lookup else None
        if claims is None:
            hits = self._find(name)
        else:
            hits = self._of_claims(name, claims) if claims else []
        return (
            [one for one in hits if one.record is None or _finds(one.record, name)]
            if hits
            else hits
        )

    def _of_claims(self, name: str, claims: Sequence[tuple[int, int, int]]) -> list[Hit]:
        """What the helper found, as hits."""
        labels = name[:-1].encode().split(b".") if len(name) > 1 else []
        hits: list[Hit] = []
        for entry, depth, wanted in claims:
            key = b".".join(labels[len(labels) - depth :])
            self._collect(entry, key, depth, wanted, hits)
        return _speaking(hits, len(labels)) if hits else hits

    def _find(self, name: str) -> list[Hit]:
        key = name[:-1].encode()
        labels = depth = key.count(b".") + 1 if key else 0
        hits: list[Hit] = []
        if self._exact >> (depth if depth < 63 else 63) & 1:
            for entry in self._entries(key):
                self._collect(entry, key, depth, layout.EXACT, hits)
        below = self._below & ((1 << (depth if depth < 64 else 64)) - 1)
        while below:
            key = key[key.find(b".") + 1 :] if depth > 1 else b""
            depth -= 1
            bit = 1 << (depth if depth < 63 else 63)
            if below & bit:
                for entry in self._entries(key):
                    self._collect(entry, key, depth, layout.BELOW, hits)
            if depth < 64:
                below &= bit - 1
        return _speaking(hits, labels) if hits else hits

    def triggered(self, trigger: Trigger, addresses: Iterable[str]) -> list[Hit]:
        """What zones say about these addresses, zones in order, the longest prefix first; of trigger "address" what
        other lists say. The depth of a hit is its distance from what it found."""
        return self._of_rows(self.triggers.of_addresses(trigger, addresses))

    def triggered_by_servers(self, servers: Iterable[str]) -> list[Hit]:
        """What zones say about the names of these servers."""
        return self._of_rows(self.triggers.of_servers(servers, self._mark))

    def _mark(self, key: bytes) -> bytes:
        one = self._hash.copy()
        one.update(key)
        return one.digest()

    def _of_rows(self, rows: list[Found]) -> list[Hit]:
        known = [row for row in rows if row.rank < len(self._starts)]
        return [
            self._record_hit(row.rank, one, row.distance)
            for row in known
            for one in self._records_at(START + row.record)
            if one.effect != layout.GUARD
        ]

    def is_guarded(self, name: str) -> bool:
        """Whether a guard list has this very name."""
        key = name[:-1].encode()
        entries = self._entries(key)  # mostly none
        return bool(entries) and any(
            entry >> layout.KIND_SHIFT & 7 == layout.GUARD and self._confirm(entry, key, 0)
            for entry in entries
        )

    def _entries(self, key: bytes) -> Sequence[int]:
        """Entries with the key's fingerprint. They are claims until the text confirms them."""
        at = crc32(key) & self._mask
        if not self._sieve[at >> 3] >> (at & 7) & 1:
            return ()
        mark = int.from_bytes(self._mark(key), "little")
        place = (mark >> 32) * self._homes >> 32
        tag = mark & layout.TAG_MASK
        table = self._table
        found: list[int] | tuple[()] = ()
        while entry := table[place]:
            if entry >> layout.TAG_SHIFT == tag:
                found = [*found, entry]
            place += 1
        return found

    def _collect(self, entry: int, key: bytes, depth: int, wanted: int, hits: list[Hit]) -> None:
        """Keep what speaks about the name, and zone owners at or above it, which end the reach of wildcards."""
        if entry >> layout.KIND_SHIFT & 7 == layout.GUARD:
            return
        for hit in self._confirm(entry, key, depth):
            if hit.match & wanted or hit.zone:
                hits.append(hit)

    def _confirm(self, entry: int, key: bytes, depth: int) -> Sequence[Hit]:
        """The hit when the text at the entry's offset says this name; several of a record."""
        offset = START + (entry & 0xFFFFFFFF)
        effect, match = entry >> 32 & 7, entry >> 35 & 3
        if effect == layout.RECORD:
            return self._confirm_record(offset, key, depth)
        end = offset + len(key)
        if self._map[offset:end].lower() != key:
            return ()
        rank = bisect_right(self._starts, offset) - 1
        after = self._map[end]
        if after in NAME_BYTES or (after == 46 and not self._ends(rank, end + 1)):
            return ()
        return (Hit(rank, match, effect, offset, depth, effect >= layout.NXDOMAIN),)

    def _ends(self, rank: int, after: int) -> bool:
        """Whether a name ends with the dot before `after`: nothing follows, or the zone's own name does."""
        zone = self._zones[rank]
        return (
            self._map[after] not in NAME_BYTES
            or bool(zone)
            and self._map[after : after + len(zone)].lower() == zone
        )

    def _confirm_record(self, offset: int, key: bytes, depth: int) -> Sequence[Hit]:
        name = f"{key.decode()}."
        rank = bisect_right(self._starts, offset) - 1  # a list's records follow its text
        if rank < 0:
            return ()
        return [
            self._record_hit(rank, record, depth)
            for record in self._records_at(offset)
            if record.name == name and record.effect != layout.GUARD
        ]

    def _record_hit(self, rank: int, record: ListRecord, depth: int) -> Hit:
        at = self._starts[rank] + record.offset
        return Hit(rank, record.match, record.effect, at, depth, record.zone, record)

    def _records_at(self, offset: int) -> Sequence[ListRecord]:
        return unpacked(self._octets, offset)

    def line(self, hit: Hit) -> str:
        """`malware:17 ||bad.example^`: the list, the line's number and the line, escaped, for people."""
        return self.line_at(hit.list, hit.offset)

    def lines(self, hits: bytes) -> str:
        """The lines of many hits, each `rank << 40 | offset` in eight octets, a line each."""
        if self.lookup:
            return self.lookup.lines(hits)
        each = [(hit >> 40, hit & (1 << 40) - 1) for hit in array("Q", hits)]
        return "\n".join([self.line_at(rank, offset) for rank, offset in each])

    def line_at(self, rank: int, offset: int) -> str:
        base, index, source = self._sources[rank]
        block = (offset - base) >> BLOCK_SHIFT
        mapped = self._map
        before = int.from_bytes(mapped[index + 4 * block : index + 4 * block + 4], "little")
        number = before + mapped[base + (block << BLOCK_SHIFT) : offset].count(b"\n") + 1
        start = mapped.rfind(b"\n", max(base, offset - 4096), offset) + 1 or base
        end = mapped.find(b"\n", offset, offset + 4096)
        text = mapped[start : end if end >= 0 else offset + SHOWN]
        return f"{source}:{number} {shown(text)}"

    def patterns(self) -> list[Hit]:
        """The hit that each expression of a list is when it finds a name; its record has the source."""
        return [
            _pattern_hit(rank, one, self._starts[rank])
            for rank, section in enumerate(self.meta.blob.sections)
            for one in section.patterns
        ]

    def text_of(self, name: str) -> bytes | None:
        """The text of a list as it was compiled: its last good copy."""
        for report, section in zip(self.report, self.meta.blob.sections, strict=True):
            if report.name == name and section.length:
                return bytes(self.octets(section.text, section.length))
        return None

    def octets(self, at: int, length: int) -> memoryview:
        """So many octets of the lists, from `at` on."""
        return self._octets[START + at : START + at + length]

    def pieces(self, rank: int) -> Iterator[tuple[int, bytes]]:
        """The text of a list, a MiB of whole lines at a time, each with its place in the list."""
        section = self.meta.blob.sections[rank]
        start = begin = START + section.text
        last = begin + section.length
        while start < last:
            end = self._map.find(b"\n", min(start + CHUNK, last - 1), last) + 1 or last
            yield start - begin, self._map[start:end]
            start = end

    def blob(self) -> memoryview:
        """The compiled lists as octets, to be copied into the next snapshot."""
        return self.octets(0, self.meta.blob.length)


def _finds(record: ListRecord, name: str) -> bool:
    return not record.pattern or patterns.finds(record.pattern, name)


def _pattern_hit(rank: int, one: Pattern, start: int) -> Hit:
    record = ListRecord(
        one.offset, one.line, ".", layout.EXACT, one.effect, False, list(one.records), one.terms, one.source
    )  # fmt: skip
    return Hit(rank, layout.EXACT, one.effect, start + one.offset, 0, record=record)


def shown(text: bytes) -> str:
    """A line for people: without its end, cut, other than printable ASCII as `\\DDD`."""
    cut = text.strip()[:SHOWN]
    if cut.isascii() and (plain := cut.decode()).isprintable():
        return plain
    return "".join(chr(octet) if 32 <= octet < 127 else f"\\{octet:03d}" for octet in cut)


def _speaking(hits: list[Hit], labels: int) -> list[Hit]:
    """Lists in order; of a zone only its closest owner speaks, or silences the wildcards above (RFC 4592)."""

    def is_silent(hit: Hit) -> bool:
        return not hit.match & (layout.EXACT if hit.depth == labels else layout.BELOW)

    if len(hits) > 1:
        hits.sort(key=lambda hit: (hit.list, -hit.depth, is_silent(hit)))
    closed: set[int] = set()
    speaking = []
    for hit in hits:
        if hit.zone and hit.list in closed:
            continue
        if hit.zone:
            closed.add(hit.list)
        if not is_silent(hit):
            speaking.append(hit)
    return speaking
