"""Lists → one immutable snapshot file. Where a group or a token changes, the compiled lists are copied as they are;
where one list changes, that one is read anew and only the table is made again.

A list that is gone, binary, empty or too large is compiled from the text the previous snapshot has of it, its
last good copy, and says so in its report. The hub runs it as a child, `python -m namewarden.policy.compile
SPEC.json OUT --secret FILE`, so that its memory is given back; the report is JSON on standard output.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from namewarden.policy import expiry, layout
from namewarden.policy.broad import Popular, popular
from namewarden.policy.errors import ListError
from namewarden.policy.keep import with_kept
from namewarden.policy.meta import (
    BLOCK_SHIFT,
    READING,
    START,
    Blob,
    ListReport,
    ListSection,
    Meta,
    owner_of,
    seal,
)
from namewarden.policy.overlay import sync_folder
from namewarden.policy.part import Part, of_scan, of_snapshot
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import Snapshot
from namewarden.policy.source import LIMIT, digest_of, load, look
from namewarden.policy.spec import ListSpec, SnapshotSpec
from namewarden.policy.triggers import ranks_of

REFUSED_SHOWN = 20
BURST = (
    8 << 20
)  # octets written at once beside a policy in force: the kernel's own writers do not yield to queries
_GRAIN = 1 << BLOCK_SHIFT
_EMPTY = frozenset(("blank", "comment", "header", "apex"))  # a list of nothing else is an empty one


def compile_snapshot(
    spec: SnapshotSpec,
    secret: bytes,
    out: Path,
    *,
    generation: int = 1,
    previous: Snapshot | None = None,
    limit: int = LIMIT,
    popular: Popular | None = None,
    now: float = 0.0,
) -> Snapshot:
    """Write the file whole (or not at all) and map it. ListError when it cannot be written.

    `popular`: lines of lists that reach too many of them are refused. `now`: epoch seconds, for lines that are kept.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        try:
            with os.fdopen(handle, "w+b") as file:
                made = _Blob(file, spec, secret, previous, limit, popular, now)
                _write(made, generation)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, out)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        sync_folder(out.parent)
    except OSError as error:
        raise ListError(f"{out}: cannot be written: {error.strerror}") from error
    return Snapshot.open(out, secret)


def _write(made: "_Blob", generation: int) -> None:
    file, spec, previous = made.file, made.spec, made.previous
    file.write(bytes(START))
    looks = [look(Path(each.path), made.limit) for each in spec.lists]
    if previous is not None and _is_same(made, previous, looks):
        blob, report = previous.meta.blob, _renamed(spec, previous.report)
        file.write(previous.blob())
    else:
        blob, report = made.write(looks)
    at = START + blob.length
    owner = owner_of(made.secret)
    meta = msgspec.json.encode(Meta(generation, spec, report, blob, owner, READING, made.measure))
    file.write(meta)
    file.seek(0)
    file.write(seal(at + len(meta), at, meta))


def _is_same(made: "_Blob", previous: Snapshot, looks: list[str]) -> bool:
    now = [(*_said(each), look) for each, look in zip(made.spec.lists, looks, strict=True)]
    return made.is_read_alike and now == [(*_said(each), each.seen) for each in previous.report]


def _said(one: ListSpec | ListReport) -> tuple[str, str, str, bool, int]:
    """What must be the same for a text to be read the same."""
    return one.name, one.kind, one.format, one.broad, one.keep


def _renamed(spec: SnapshotSpec, report: list[ListReport]) -> list[ListReport]:
    return [
        msgspec.structs.replace(old, path=new.path)
        for old, new in zip(report, spec.lists, strict=True)
    ]


class _Compiled(NamedTuple):
    """One list."""

    text: bytes | memoryview
    part: Part
    report: ListReport


class _Blob:
    """Writes the compiled lists, one after the other: text, records, line index; then the table, and their parts."""

    def __init__(
        self,
        file: BinaryIO,
        spec: SnapshotSpec,
        secret: bytes,
        previous: Snapshot | None,
        limit: int,
        popular: Popular | None,
        now: float,
    ) -> None:
        self.file = file
        self.spec = spec
        self.secret = secret
        self.previous = previous
        self.limit = limit
        self.popular = popular
        self.now = now
        self.measure = digest_of("\n".join(popular.names).encode()) if popular else ""
        self.is_read_alike = previous is not None and (
            (previous.meta.reading, previous.meta.popular, previous.meta.secret)
            == (READING, self.measure, owner_of(secret))
        )
        self.length = 0
        self.parts: list[Part] = []
        self.sections: list[ListSection] = []
        self.report: list[ListReport] = []

    def write(self, looks: list[str]) -> tuple[Blob, list[ListReport]]:
        """`looks`: what the files are (`source.look`)."""
        for spec, seen in zip(self.spec.lists, looks, strict=True):
            self._put(self._list(spec, seen))
        return self._table(), self.report

    def _list(self, spec: ListSpec, seen: str) -> _Compiled:
        """The file, or its last good copy when there is something wrong with it."""
        if seen.startswith("! "):
            return self._last(spec, seen, seen[2:])
        if same := self._same(spec, seen):
            return same
        try:
            data = load(Path(spec.path), self.limit)
            seen = digest_of(data)
            scan = self._scan(spec, data)
            if not scan.rules and not _EMPTY.issuperset(scan.skipped):
                raise ListError("has no line that is a rule")
        except ListError as problem:
            return self._last(spec, seen, str(problem))
        return self._with_kept(spec, _Compiled(data, of_scan(scan), _report(spec, scan, seen)))

    def _with_kept(self, spec: ListSpec, made: _Compiled) -> _Compiled:
        before = self._text_before(spec) if spec.keep else b""
        if not before:
            return made
        end = self.now + spec.keep * expiry.DAY
        text, kept = with_kept(bytes(made.text), before, end, self.now, self.limit)
        if not kept:
            return made
        scan = self._scan(spec, text)
        report = _report(spec, scan, digest_of(text))
        report = msgspec.structs.replace(report, seen=made.report.seen, kept=kept)
        return _Compiled(text, of_scan(scan), report)

    def _text_before(self, spec: ListSpec) -> bytes:
        """The last good copy, b"" where there is none."""
        return (self.previous.text_of(spec.name) if self.previous else None) or b""

    def _last(self, spec: ListSpec, seen: str, error: str) -> _Compiled:
        data = self._text_before(spec)
        digest = digest_of(data) if data else ""
        made = self._same(spec, digest)
        if made is None:
            scan = self._scan(spec, data)
            made = _Compiled(data, of_scan(scan), _report(spec, scan, digest))
        report = msgspec.structs.replace(made.report, seen=seen, error=error, stale=bool(data))
        return made._replace(report=report)

    def _same(self, spec: ListSpec, digest: str) -> _Compiled | None:
        """As it was in the previous snapshot, if that read the same text in the same way."""
        if self.previous is None or not self.is_read_alike or not digest:
            return None
        for rank, old in enumerate(self.previous.report):
            is_same = digest == old.digest or (digest == old.seen and not old.error)
            if _said(old) == _said(spec) and is_same:
                section = self.previous.meta.blob.sections[rank]
                text = self.previous.octets(section.text, section.length)
                report = msgspec.structs.replace(
                    old, path=spec.path, seen=digest, error="", stale=False
                )
                return _Compiled(text, of_snapshot(self.previous, rank), report)
        return None

    def _scan(self, spec: ListSpec, data: bytes) -> Scan:
        scan = Scan(spec, 0, self.secret, self.popular)
        scan.read(data)
        return scan

    def _put(self, made: _Compiled) -> None:
        part = made.part
        text = self._aligned(made.text, _GRAIN)
        records = self._aligned(part.records, 1)
        index = self._aligned(_line_index(made.text), 4)
        self.sections.append(
            ListSection(
                text, len(made.text), index, part.zone, part.patterns, part.refused, 0, len(part.entries),
                records, len(part.records), part.exact, part.below, part.clients,
            )
        )  # fmt: skip
        self.parts.append(part)
        self.report.append(made.report)

    def _aligned(self, octets: bytes | memoryview, grain: int) -> int:
        pad = -self.length % grain
        at = self.length + pad
        if at + len(octets) >= layout.TEXT_LIMIT:
            raise ListError("the lists together are larger than 4 GiB")
        self.file.write(bytes(pad))
        whole = memoryview(octets)
        for begin in range(0, len(whole), BURST):
            self.file.write(whole[begin : begin + BURST])
            if self.previous is not None and len(whole) > BURST:
                os.fdatasync(self.file.fileno())
        self.length = at + len(octets)
        return at

    def _table(self) -> Blob:
        each = [part.entries for part in self.parts]
        placed = zip(self.parts, self.sections, strict=True)
        table, homes, entries = layout.place(
            _joined((part["print"] for part in each), np.uint64),
            _joined((part.lows(it.text, it.records) for part, it in placed), np.uint64),
            _joined((np.full(len(it), rank, np.uint16) for rank, it in enumerate(each)), np.uint16),
        )
        sieve, mask = layout.sieve_of(_joined((part["sum"] for part in each), np.uint32))
        rows = self._rows()
        at = self._aligned(_octets(table), 8)
        sieve_at = self._aligned(_octets(sieve), 8)
        triggers = self._aligned(b"".join(rows), 8)
        sections = [
            msgspec.structs.replace(section, part=self._aligned(_octets(part), 8))
            for section, part in zip(self.sections, each, strict=True)
        ]
        exact = below = 0
        for section in sections:
            exact, below = exact | section.exact, below | section.below
        return Blob(
            self.length, at, len(table), homes, entries, sieve_at, mask, exact, below, sections,
            triggers, len(rows), sorted({(row[0], row[1]) for row in rows}), ranks_of(rows),
            sorted(set().union(*(part.clients for part in self.parts))),
        )  # fmt: skip

    def _rows(self) -> list[bytes]:
        """All triggers, as they are found."""
        return sorted(
            key + rank.to_bytes(2) + (section.records + at).to_bytes(4)
            for rank, (part, section) in enumerate(zip(self.parts, self.sections, strict=True))
            for key, at in part.triggers
        )


def _joined(parts: Iterable[npt.NDArray[Any]], kind: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate([*parts, np.zeros(0, kind)], dtype=kind)


def _octets(array: npt.NDArray[Any]) -> memoryview:
    return array.view(np.uint8).data


def _report(spec: ListSpec, scan: Scan, digest: str) -> ListReport:
    return ListReport(
        name=spec.name,
        path=spec.path,
        kind=spec.kind,
        format=spec.format,
        lines=scan.lines,
        rules=scan.rules,
        skipped=dict(sorted(scan.skipped.items())),
        digest=digest,
        seen=digest,
        broad=spec.broad,
        keep=spec.keep,
        refused=sorted(scan.refused.items())[:REFUSED_SHOWN],
    )


def _line_index(data: bytes | memoryview) -> bytes:
    """How many newlines come before each block."""
    counts = [
        np.add.reduceat(
            np.frombuffer(data, np.uint8, min(1 << 22, len(data) - start), start) == 10,
            np.arange(0, min(1 << 22, len(data) - start), _GRAIN),
            dtype=np.uint32,
        )
        for start in range(0, len(data), 1 << 22)
    ]
    ends = np.cumsum(np.concatenate(counts), dtype="<u4") if counts else np.zeros(0, "<u4")
    return np.concatenate([np.zeros(1, "<u4"), ends]).astype("<u4").tobytes()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="namewarden.policy.compile", description=__doc__)
    parser.add_argument("spec", type=Path, help="SnapshotSpec as JSON")
    parser.add_argument("out", type=Path, help="the snapshot to write")
    parser.add_argument("--secret", type=Path, required=True, help="file with 32 octets")
    parser.add_argument("--generation", type=int, default=1)
    parser.add_argument("--previous", type=Path, help="the snapshot in force")
    parser.add_argument("--now", type=float, default=0.0, help="epoch seconds")
    parser.add_argument("--limit", type=int, default=LIMIT, help="octets of one list")
    parser.add_argument("--remove", type=Path, action="append", default=[], help="an old snapshot")
    given = parser.parse_args(arguments)
    try:
        snapshot = _run(given)
    except (ListError, OSError, ValueError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(snapshot.report) + b"\n")
    return 0


def _run(given: argparse.Namespace) -> Snapshot:
    for (
        old
    ) in given.remove:  # to free a hundred megabytes of the page cache takes the kernel a while
        old.unlink(missing_ok=True)
    secret = given.secret.read_bytes()
    spec = msgspec.json.decode(given.spec.read_bytes(), type=SnapshotSpec)
    return compile_snapshot(
        spec,
        secret,
        given.out,
        generation=given.generation,
        previous=open_if_usable(given.previous, secret),
        limit=given.limit,
        popular=popular(),
        now=given.now,
    )


def open_if_usable(path: Path | None, secret: bytes) -> Snapshot | None:
    """The previous snapshot, unless it is gone or broken: then everything is compiled anew."""
    try:
        return Snapshot.open(path, secret) if path else None
    except ListError:
        return None


if __name__ == "__main__":
    sys.exit(main())
