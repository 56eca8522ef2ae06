"""A whole list → entries, fast: one regular expression reads the common shapes (`shapes.py`) of a megabyte at a time,
every other line goes to `reader.Reader`. Both read a line alike; a test holds them together. Where it was built, the
C helper `_scan.c` reads the plainest lines and makes the fingerprints; what is here says what they mean.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from namewarden import native
from namewarden.policy import addresses, empty, layout, patterns
from namewarden.policy.broad import Popular
from namewarden.policy.lines import ListRule
from namewarden.policy.reader import Reader
from namewarden.policy.records import ListRecord, Pattern, packed
from namewarden.policy.rpz import RECORD_LIMIT, zone_of
from namewarden.policy.shapes import Shapes
from namewarden.policy.spec import ListSpec
from namewarden.policy.terms import network_of
from namewarden.policy.triggers import key_of

if TYPE_CHECKING:
    from namewarden.policy._scan import Rows

Flags = npt.NDArray[np.bool_]
ROW = np.dtype([("print", "<u8"), ("low", "u8"), ("sum", "u4"), ("labels", "u4")])  # of the helper

CHUNK = 1 << 20
NAME_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class Marks(NamedTuple):
    """What the table needs of some names."""

    prints: bytes  # 8 octets a name
    sums: layout.Sums
    labels: layout.Words


class Scan:
    """One list read: `prints`, `lows` for the table, records, patterns and the counts for its report."""

    def __init__(
        self, spec: ListSpec, base: int, secret: bytes, popular: Popular | None = None
    ) -> None:
        self.spec = spec
        self._is_bound = spec.kind == "deny" and not spec.broad
        self._popular = popular if self._is_bound else None
        self._wide = {name[:-1].encode() for name in self._popular.wide} if self._popular else set()
        self.refused: dict[
            int, int
        ] = {}  # lines that reach too much: how many popular names; 0 of addresses
        self.base = base  # where the list's text begins in the snapshot's
        self.lines = 0
        self.rules = 0
        self.skipped: Counter[str] = Counter()
        self.untaken: set[int] = set()  # lines for which there was no room
        self.prints = bytearray()
        self.sums: list[layout.Sums] = []  # CRC-32 of the names, for the sieve
        self.lows: list[layout.Words] = []
        self.records: dict[tuple[str, int], list[ListRecord]] = {}
        self.triggers: dict[bytes, list[ListRecord]] = {}  # by the key of their row
        self.rows: list[tuple[bytes, int]] = []  # of `finish`: each key and where its record lies
        self.clients: set[str] = set()  # addresses and networks of terms
        self.patterns: list[Pattern] = []
        self.depths = {layout.EXACT: 0, layout.BELOW: 0}  # bit n: entries with n labels
        self.zone = ""
        self.zone_exact = 0  # depths of zone owners, which end the reach of wildcards above them
        self.zone_below = 0
        self.empty = 0  # depths of empty non-terminals, which do so too
        self._above: dict[
            bytes, int
        ] = {}  # what owners of the zone lie below, and where it is spelled
        self._hash = layout.hasher(secret)
        helper = native.load("namewarden.policy._scan")
        self._rows: Rows | None = helper.Rows(secret) if helper else None
        self._plain: Rows | None = helper.Rows(secret) if helper else None  # a chunk's plain lines

    def read(self, data: bytes) -> None:
        """All lines. `data` ends with a newline."""
        self.begin(zone_of(data) if self.spec.format in ("auto", "rpz") else "")
        for start, chunk in _chunks(data):
            self._chunk(chunk, start)
        if self._popular:
            self._refuse_expressions(self._popular)

    def begin(self, zone: str) -> None:
        """`zone`: what its lines lie below, where they are a zone's."""
        self.zone = zone
        self._reader = Reader(self.spec.format, zone, self.spec.broad)
        self._shapes = Shapes(self.spec.format, self.spec.kind, zone)

    def _chunk(self, chunk: bytes, start: int) -> None:
        """The hot loop: one match a line. Lines that no shape fits are read one by one."""
        before = self.lines
        names: list[bytes] = []
        starts: list[int] = []
        kinds: list[int] = []
        shapes = self._shapes
        codes, policy = shapes.codes, shapes.policy
        found = self._left(chunk, start)
        for at in found:
            group = at.lastindex
            self.lines += 1
            if group:
                if policy <= group < policy + 3:
                    group, name, code = shapes.policy_entry(at, self._reader.zone.origin)
                else:
                    name, code = at[group], codes[group]
                    if name[-1] < 58:  # a digit, a hyphen or the final dot
                        name = shapes.trimmed(name)
                if name and len(name) < 254:
                    names.append(name)
                    starts.append(at.start(group))
                    kinds.append(code)
                    continue
            self._odd(chunk, at.span(), start)
            while self._reader.is_open and (following := next(found, None)):
                self.lines += 1
                self._odd(chunk, following.span(), start)
        if not self._wide.isdisjoint(names):
            lines = (before + chunk.count(b"\n", 0, at) + 1 for at in starts)
            names, starts, kinds = self._narrow(names, starts, kinds, lines)
        self.rules += len(names)
        self._take_plain()
        self._take(names, np.array(starts, np.uint64) + np.uint64(self.base + start), kinds)

    def _left(self, chunk: bytes, start: int) -> Iterator[re.Match[bytes]]:
        """The lines that the helper leaves; it reads none that goes on with the one before."""
        low, shapes = chunk.lower(), self._shapes
        if self._plain is None or max(shapes.plain) < 0:
            yield from shapes.expression.finditer(low)
            return
        at, offset = 0, self.base + start
        wide = b"".join(map(self._mark_of, self._wide))
        while at < len(chunk):
            if not self._reader.is_open:
                at, lines = self._plain.read(chunk, at, offset, shapes.plain, wide)
                self.lines += lines
                self.rules += lines
            if not (found := shapes.expression.match(low, at)):
                return
            yield found
            at = found.end()

    def _take_plain(self) -> None:
        """What the helper has read of this chunk."""
        if self._plain is None:
            return
        rows = np.frombuffer(self._plain.take(), ROW)
        self._enter(_marks_of(rows), rows["low"].copy())

    def _take(self, names: list[bytes], offsets: layout.Words, kinds: list[int]) -> None:
        codes = np.array(kinds, np.uint64)
        self._note_above(names, offsets, (codes & np.uint64(7)) >= np.uint64(layout.NXDOMAIN))
        self._enter(self._marks(names), offsets | codes << np.uint64(layout.KIND_SHIFT))

    def _marks(self, names: list[bytes]) -> Marks:
        if self._rows:
            self._rows.add(names)
            return _marks_of(np.frombuffer(self._rows.take(), ROW))
        labels = (name.count(b".") + 1 if name else 0 for name in names)
        return Marks(
            b"".join(map(self._mark_of, names)),
            np.fromiter(map(crc32, names), np.uint32, len(names)),
            np.fromiter(labels, np.uint64, len(names)),
        )

    def _enter(self, marks: Marks, lows: layout.Words) -> None:
        self.prints += marks.prints
        self.sums.append(marks.sums)
        self.lows.append(lows)
        self._mark(marks.labels, lows >> np.uint64(layout.KIND_SHIFT))

    def _note_above(self, names: list[bytes], offsets: layout.Words, zones: Flags) -> None:
        """What the owners of a zone lie below: it exists, too."""
        if not zones.any():
            return
        owners = names if zones.all() else list(compress(names, zones))
        above = [name.partition(b".")[2] for name in owners]
        fresh = set(above).difference(self._above, (b"",))
        if fresh:  # mostly none: names share their suffixes
            for name, rest, offset in zip(owners, above, offsets[zones].tolist(), strict=True):
                if rest in fresh and rest not in self._above:
                    self._above[rest] = offset + len(name) - len(rest)

    def _mark(self, depths: layout.Words, codes: layout.Words) -> None:
        """Which depths have entries: a name's other suffixes need no look."""
        bits = np.uint64(1) << np.minimum(depths, np.uint64(63))
        for match in (layout.EXACT, layout.BELOW):
            chosen = (codes >> np.uint64(3)) & np.uint64(match) != 0
            self.depths[match] |= int(np.bitwise_or.reduce(bits[chosen], initial=np.uint64(0)))
        zones = (codes & np.uint64(7)) >= np.uint64(layout.NXDOMAIN)
        exact = zones & (codes >> np.uint64(3) == np.uint64(layout.EXACT))
        self.zone_exact |= int(np.bitwise_or.reduce(bits[exact], initial=np.uint64(0)))
        below = zones & (codes >> np.uint64(3) & np.uint64(layout.BELOW) != 0)
        self.zone_below |= int(np.bitwise_or.reduce(bits[below], initial=np.uint64(0)))

    def _odd(self, chunk: bytes, span: tuple[int, int], start: int) -> None:
        line = chunk[span[0] : span[1]]
        if self._shapes.owner:
            self._reader.zone.owner, self._shapes.owner = self._shapes.owner, ""
        reading = self._reader.read(line[:8192].decode("utf-8", "replace"))
        if isinstance(reading, str):
            self.skipped[reading] += 1
            return
        reach = max(map(self._reach, reading))
        if reach or any(map(self._is_broad, reading)):
            self._refuse(self.lines, reach)
            return
        taken = [self._rule(rule, line, self.base + start + span[0]) for rule in reading]
        if any(taken):
            self.rules += 1
        else:
            self.skipped["pattern"] += 1
            self.untaken.add(self.lines)

    def _reach(self, rule: ListRule) -> int:
        """How many popular names a rule speaks about, where those are too many; expressions are counted at the end."""
        terms = rule.terms
        if self._popular is None or rule.match in ("exact", "pattern") or rule.effect == "ask":
            return 0
        if terms and (terms.is_narrow or terms.is_bad):
            return 0
        reach = self._popular.below(rule.name, terms)
        return reach if reach > self._popular.limit else 0

    def _is_broad(self, rule: ListRule) -> bool:
        """Whether it is about addresses, and of too many servers or none."""
        is_address = rule.trigger == "address" and rule.effect == "own"
        return self._is_bound and is_address and addresses.is_broad(rule.name)

    def _refuse(self, line: int, reach: int) -> None:
        self.refused[line] = reach
        self.skipped["broad"] += 1

    def _narrow(
        self, names: list[bytes], starts: list[int], kinds: list[int], lines: Iterator[int]
    ) -> tuple[list[bytes], list[int], list[int]]:
        """Without those that reach too much."""
        left = []
        for name, start, kind, line in zip(names, starts, kinds, lines, strict=True):
            if self._popular and kind >> 3 & layout.BELOW and name in self._wide:
                self._refuse(line, self._popular.below(f"{name.decode()}."))
            else:
                left.append((name, start, kind))
        return [one[0] for one in left], [one[1] for one in left], [one[2] for one in left]

    def _refuse_expressions(self, popular: Popular) -> None:
        filed = [one for several in self.records.values() for one in several if one.pattern]
        each = [(one.source, one.terms, one.line) for one in self.patterns]
        each += [(one.pattern, one.terms, one.line) for one in filed]
        found = popular.found([(source, terms) for source, terms, _ in each])
        for (_, terms, line), reach in zip(each, found, strict=True):
            if reach > popular.limit and not (terms and (terms.is_narrow or terms.is_bad)):
                self._refuse(line, reach)
                self.rules -= 1
        self.patterns = [one for one in self.patterns if one.line not in self.refused]
        for several in self.records.values():
            several[:] = [one for one in several if one.line not in self.refused]

    def _rule(self, rule: ListRule, line: bytes, offset: int) -> bool:
        """False when there is no room for it."""
        code = layout.code_of(rule.effect, self.spec.kind)
        if rule.terms:
            several = (*rule.terms.clients, *rule.terms.not_clients)
            self.clients.update(text for text in several if network_of(text))
        if rule.trigger != "qname":
            return self._trigger(rule, code, offset)
        if rule.match == "pattern" and not rule.suffix:
            return self._pattern(rule, code, offset)
        name = rule.name[:-1].encode()
        match = layout.MATCHES.get(rule.match, layout.BELOW)
        in_zone = code >= layout.NXDOMAIN
        is_plain = rule.terms is None and not rule.suffix and rule.zone == in_zone
        if is_plain and code != layout.RECORD:
            at = _spelled(name, line)
            if at >= 0:
                low = np.array([offset + at], np.uint64)
                self._take([name], low, [match << 3 | code])
                return True
        return self._record(rule, match, code, offset)

    def _pattern(self, rule: ListRule, code: int, offset: int) -> bool:
        if len(self.patterns) >= patterns.COUNT_LIMIT:
            return False
        self.patterns.append(Pattern(rule.name, code, self.lines, offset, rule.terms, rule.records))
        return True

    def _record(self, rule: ListRule, match: int, code: int, offset: int) -> bool:
        """Of a zone the first record of an owner says what is done; else each line speaks for itself."""
        name, pattern = (rule.suffix, rule.name) if rule.suffix else (rule.name, "")
        known = self.records.setdefault((name, match), [])
        of_zone = next((one for one in known if one.zone), None) if rule.zone else None
        if of_zone is not None:
            _add_data(of_zone, rule, code)
            return True
        if len(known) >= RECORD_LIMIT:
            return bool(pattern) and self._pattern(rule, code, offset)
        made = ListRecord(offset, self.lines, name, match, code, rule.zone, [], rule.terms, pattern)
        made.records += rule.records
        known.append(made)
        return True

    def _trigger(self, rule: ListRule, code: int, offset: int) -> bool:
        key = key_of(rule.trigger, rule.name, rule.match, self._mark_of)
        match = layout.MATCHES[rule.match]
        made = ListRecord(offset, self.lines, rule.name, match, code, rule.zone, [], rule.terms)
        known = self.triggers.setdefault(key, [])
        if not any(rule.zone or (one.effect, one.terms) == (code, rule.terms) for one in known):
            if len(known) >= RECORD_LIMIT:
                return False
            known.append(made)
        if rule.zone:
            _add_data(known[0], rule, code)
        return True

    def _mark_of(self, name: bytes) -> bytes:
        one = self._hash.copy()
        one.update(name)
        return one.digest()

    @property
    def exact(self) -> int:
        """Bit n: some name of n labels is listed itself, or ends a zone's wildcard above it and has nothing."""
        return self.depths[layout.EXACT] | self._below_wildcards(self.zone_below | self.empty)

    @property
    def below(self) -> int:
        """Bit n: something with n labels decides about names below it, or ends a zone's wildcard above it."""
        return self.depths[layout.BELOW] | self._below_wildcards(self.zone_exact | self.empty)

    def _below_wildcards(self, depths: int) -> int:
        lowest = self.zone_below & -self.zone_below
        return depths & ~(2 * lowest - 1) if lowest else 0

    def finish(self, extras: int) -> bytes:
        """The records' octets, to lie at `extras` on; their entries and the empty non-terminals join the others."""
        blob = bytearray()

        def put(several: list[ListRecord]) -> int:
            at = extras + len(blob)
            blob.extend(packed(several))
            return at

        each = [several for several in self.records.values() if several]
        owners = [record for several in each for record in several if record.zone]
        for record in owners:
            depth = 1 << min(record.name.count(".") if record.name != "." else 0, 63)
            if record.match == layout.EXACT:
                self.zone_exact |= depth
            else:
                self.zone_below |= depth
        each += [[record] for record in self._close_empty(owners)]
        offsets = [put(several) for several in each]
        kinds = [several[0].match << 3 | layout.RECORD for several in each]
        names = [several[0].name[:-1].encode() for several in each]
        self._take(names, np.array(offsets, np.uint64), kinds)
        self.rows = [(key, put(several)) for key, several in self.triggers.items()]
        self.records.clear()
        self.triggers.clear()
        return bytes(blob)

    def _close_empty(self, owners: list[ListRecord]) -> list[ListRecord]:
        """Take the empty non-terminals below wildcards (RFC 4592 §2.2.2); give back those that no line spells."""
        lowest = (self.zone_below & -self.zone_below).bit_length() - 1
        above, self._above = self._above, {}
        if lowest < 0:
            return []
        prints = np.frombuffer(bytes(self.prints), "<u8")
        more = [self._mark_of(one.name[:-1].encode()) for one in owners if one.match & layout.BELOW]
        wild = empty.wildcards(prints, _joined(self.lows), more)
        spelled = empty.suffixes_of(above, lowest)
        held: dict[bytes, ListRecord] = {}
        for owner in owners:
            _, _, rest = owner.name[:-1].encode().partition(b".")
            held |= {name: owner for name in empty.suffixes_of({rest: 0}, lowest) if rest}
        found = empty.covered({*spelled, *held}, wild, self._mark_of)
        for name in found:
            self.empty |= 1 << min(name.count(b".") + 1, 63)
        names = [name for name in found if name in spelled]
        offsets = np.array([spelled[name] for name in names], np.uint64)
        self._take(names, offsets, [layout.NXDOMAIN] * len(names))
        return [
            ListRecord(held[name].offset, held[name].line, f"{name.decode()}.", 0, layout.NXDOMAIN, True, [])
            for name in found
            if name not in spelled
        ]  # fmt: skip


def _marks_of(rows: npt.NDArray[np.void]) -> Marks:
    return Marks(rows["print"].tobytes(), rows["sum"].copy(), rows["labels"].astype(np.uint64))


def _joined(lows: list[layout.Words]) -> layout.Words:
    return np.concatenate(lows) if lows else np.zeros(0, np.uint64)


def _add_data(known: ListRecord, rule: ListRule, code: int) -> None:
    """Local data of one owner over several lines."""
    if code == layout.RECORD == known.effect and len(known.records) < RECORD_LIMIT:
        known.records += [record for record in rule.records if record not in known.records]


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + CHUNK) + 1 or len(data)
        yield start, data[start:end]
        start = end


def _spelled(name: bytes, line: bytes) -> int:
    """Where the line spells the name out, alone; -1 when it does not."""
    if not name:
        return -1
    low = line.lower()
    at = low.find(name)
    while at >= 0:
        before = low[at - 1] if at else 32
        end = at + len(name)
        after = low[end] if end < len(low) else 32
        dotted = after == 46 and end + 1 < len(low) and low[end + 1] in NAME_BYTES
        if before not in NAME_BYTES and after not in NAME_BYTES and not dotted:
            return at
        at = low.find(name, at + 1)
    return -1
