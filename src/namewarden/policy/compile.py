"""Lists → one immutable snapshot file. Where a group or a token changes, the compiled lists are copied as they are.

A list that is gone, binary, empty or too large is compiled from the text the previous snapshot has of it, its
last good copy, and says so in its report. The hub runs it as a child, `python -m namewarden.policy.compile
SPEC.json OUT --secret FILE`, so that its memory is given back; the report is JSON on standard output.
"""

import argparse
import os
import stat
import sys
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from namewarden.policy import layout
from namewarden.policy.broad import Popular, popular
from namewarden.policy.errors import ListError
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import (
    BLOCK_SHIFT,
    READING,
    START,
    Blob,
    ListReport,
    ListSection,
    Meta,
    Snapshot,
    owner_of,
    seal,
)
from namewarden.policy.spec import ListSpec, SnapshotSpec
from namewarden.policy.triggers import ranks_of

LIMIT = (
    128 * 1024 * 1024
)  # octets of one list; the largest public one has 60 MB (AdGuard Home caps at 256 MB)
REFUSED_SHOWN = 20
_GRAIN = 1 << BLOCK_SHIFT
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))


def compile_snapshot(
    spec: SnapshotSpec,
    secret: bytes,
    out: Path,
    *,
    generation: int = 1,
    previous: Snapshot | None = None,
    limit: int = LIMIT,
    popular: Popular | None = None,
) -> Snapshot:
    """Write the file whole (or not at all) and map it. ListError when it cannot be written.

    `popular`: lines of lists that reach too many of them are refused.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        try:
            with os.fdopen(handle, "w+b") as file:
                made = _Blob(file, spec, secret, previous, limit, popular)
                _write(made, generation)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, out)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        _sync_folder(out.parent)
    except OSError as error:
        raise ListError(f"{out}: cannot be written: {error.strerror}") from error
    return Snapshot.open(out, secret)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(made: "_Blob", generation: int) -> None:
    file, spec, previous = made.file, made.spec, made.previous
    file.write(bytes(START))
    if previous is not None and _is_same(spec, previous, made.limit):
        blob, report = previous.meta.blob, _renamed(spec, previous.report)
        file.write(previous.blob())
    else:
        blob, report = made.write()
    at = START + blob.length
    meta = msgspec.json.encode(Meta(generation, spec, report, blob, owner_of(made.secret), READING))
    file.write(meta)
    file.seek(0)
    file.write(seal(at + len(meta), at, meta))


def _look(spec: ListSpec, limit: int) -> str:
    """What the file is now: its digest, or what is wrong with it."""
    try:
        return digest_of(load(Path(spec.path), limit))
    except ListError as error:
        return f"! {error}"


def _is_same(spec: SnapshotSpec, previous: Snapshot, limit: int) -> bool:
    seen = [_look(each, limit) for each in spec.lists]
    now = [
        (s.name, s.kind, s.format, s.broad, look) for s, look in zip(spec.lists, seen, strict=True)
    ]
    then = [(r.name, r.kind, r.format, r.broad, r.seen) for r in previous.report]
    return previous.meta.reading == READING and now == then


def _renamed(spec: SnapshotSpec, report: list[ListReport]) -> list[ListReport]:
    return [
        msgspec.structs.replace(old, path=new.path)
        for old, new in zip(report, spec.lists, strict=True)
    ]


def digest_of(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def load(path: Path, limit: int = LIMIT) -> bytes:
    """A list's octets, ending with a newline. ListError: gone, no file, too large, binary, a page, empty."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if not stat.S_ISREG(state.st_mode):
                raise ListError("is not a regular file")
            if state.st_size > limit:
                raise ListError(f"is too large: {state.st_size} octets, at most {limit}")
            data = file.read(limit + 1)
    except OSError as error:
        raise ListError(f"cannot be read: {error.strerror}") from error
    _check(data, limit)
    return data if data.endswith(b"\n") else data + b"\n"


def _check(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise ListError(f"is too large: at most {limit} octets")
    if not data.strip():
        raise ListError("is empty")
    head = data[: 1 << 16]
    if b"\0" in data or len(head) - len(head.translate(None, _CONTROLS)) > 16 + len(head) // 100:
        raise ListError("is binary")
    if head.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise ListError("is a web page, not a list")


class _Blob:
    """Writes the compiled lists: texts, records, line indexes, table."""

    def __init__(
        self,
        file: BinaryIO,
        spec: SnapshotSpec,
        secret: bytes,
        previous: Snapshot | None,
        limit: int,
        popular: Popular | None,
    ) -> None:
        self.file = file
        self.spec = spec
        self.secret = secret
        self.previous = previous
        self.limit = limit
        self.popular = popular
        self.length = 0
        self.scans: list[Scan] = []
        self.texts: list[tuple[int, int]] = []
        self.indexes: list[bytes] = []
        self.report: list[ListReport] = []

    def write(self) -> tuple[Blob, list[ListReport]]:
        for spec in self.spec.lists:
            self._list(spec)
        for scan in self.scans:
            self._put(scan.finish(self.length))
        index = [self._aligned(octets, 4) for octets in self.indexes]
        blob = self._table(index)
        return blob, self.report

    def _list(self, spec: ListSpec) -> None:
        """Scan the file, or its last good copy when there is something wrong with it."""
        base = -(-self.length // _GRAIN) * _GRAIN
        seen, error, data = "", "", b""
        try:
            data = load(Path(spec.path), self.limit)
            seen = digest_of(data)
            scan = self._scan(spec, base, data)
            if not scan.rules:
                raise ListError("has no line that is a rule")
        except ListError as problem:
            error = str(problem)
            seen = seen or f"! {error}"
            last = self.previous.text_of(spec.name) if self.previous else None
            data = last or b""
            scan = self._scan(spec, base, data)
        self.report.append(_report(spec, scan, data, seen, error))
        self._put(bytes(base - self.length) + data)
        self.texts.append((base, len(data)))
        self.indexes.append(_line_index(data))
        self.scans.append(scan)

    def _scan(self, spec: ListSpec, base: int, data: bytes) -> Scan:
        if base + len(data) >= layout.TEXT_LIMIT:
            raise ListError("the lists together are larger than 4 GiB")
        scan = Scan(spec, base, self.secret, self.popular)
        scan.read(data)
        return scan

    def _put(self, octets: bytes) -> None:
        self.file.write(octets)
        self.length += len(octets)
        if self.length >= layout.TEXT_LIMIT:
            raise ListError("the lists together are larger than 4 GiB")

    def _aligned(self, octets: bytes | memoryview, grain: int) -> int:
        pad = -self.length % grain
        at = self.length + pad
        self.file.write(bytes(pad))
        self.length = at + self.file.write(octets)
        return at

    def _table(self, indexes: list[int]) -> Blob:
        scans = self.scans
        prints = np.frombuffer(b"".join(bytes(scan.prints) for scan in scans), "<u8")
        parts = [low for scan in scans for low in scan.lows]
        lows = np.concatenate(parts) if parts else np.zeros(0, np.uint64)
        ranks = [np.full(len(scan.prints) // 8, rank, np.uint16) for rank, scan in enumerate(scans)]
        sources = np.concatenate(ranks) if ranks else np.zeros(0, np.uint16)
        table, homes, entries = layout.place(prints, lows, sources)
        sums = [one for scan in scans for one in scan.sums]
        sieve, mask = layout.sieve_of(np.concatenate(sums) if sums else np.zeros(0, np.uint32))
        rows = sorted(
            key + rank.to_bytes(2) + at.to_bytes(4)
            for rank, scan in enumerate(scans)
            for key, at in scan.rows
        )
        at = self._aligned(table.data, 8)
        sieve_at = self._aligned(sieve.data, 8)
        triggers = self._aligned(b"".join(rows), 8)
        sections = [
            ListSection(text, length, index, scan.zone, scan.patterns, sorted(scan.refused))
            for (text, length), index, scan in zip(self.texts, indexes, scans, strict=True)
        ]
        exact = below = 0
        for scan in scans:
            exact, below = exact | scan.exact, below | scan.below
        return Blob(
            self.length, at, len(table), homes, entries, sieve_at, mask, exact, below, sections,
            triggers, len(rows), sorted({(row[0], row[1]) for row in rows}), ranks_of(rows),
            sorted(set().union(*(scan.clients for scan in scans))),
        )  # fmt: skip


def _report(spec: ListSpec, scan: Scan, data: bytes, seen: str, error: str) -> ListReport:
    kept = digest_of(data) if error and data else ""
    return ListReport(
        name=spec.name,
        path=spec.path,
        kind=spec.kind,
        format=spec.format,
        lines=scan.lines,
        rules=scan.rules,
        skipped=dict(sorted(scan.skipped.items())),
        digest=kept if error else seen,
        seen=seen,
        error=error,
        stale=bool(error and data),
        broad=spec.broad,
        refused=sorted(scan.refused.items())[:REFUSED_SHOWN],
    )


def _line_index(data: bytes) -> bytes:
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
    parser.add_argument("--limit", type=int, default=LIMIT, help="octets of one list")
    given = parser.parse_args(arguments)
    try:
        snapshot = _run(given)
    except (ListError, OSError, ValueError, msgspec.MsgspecError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(snapshot.report) + b"\n")
    return 0


def _run(given: argparse.Namespace) -> Snapshot:
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
    )


def open_if_usable(path: Path | None, secret: bytes) -> Snapshot | None:
    """The previous snapshot, unless it is gone or broken: then everything is compiled anew."""
    try:
        return Snapshot.open(path, secret) if path else None
    except ListError:
        return None


if __name__ == "__main__":
    sys.exit(main())
