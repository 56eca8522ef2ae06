"""What the head and the end of a snapshot file say: whose it is, what it is made of, and where its lists lie.

    header (64 octets) | to 4096 | lists: texts, records, line indexes, table, parts | meta (JSON)

Counterparts: `compile.py` writes it, `snapshot.py` maps it.
"""

import mmap
import struct
from hashlib import blake2b

import msgspec
from msgspec import Struct

from namewarden.policy.records import Pattern
from namewarden.policy.spec import ListKind, SnapshotSpec

MAGIC, VERSION = b"NWPOLICY", 2
HEADER = struct.Struct("<8sIIQQQ16s8x")  # magic, version, 0, size, meta's offset and length, digest
READING = 5  # rises when the same lines come to mean something else: then lists are compiled anew
START = 4096  # of the lists
BLOCK_SHIFT = 10


class ListReport(Struct, frozen=True):
    """What became of one list. `error` says why its last good copy is used, or that there is none."""

    name: str
    path: str
    kind: ListKind
    format: str
    lines: int = 0
    rules: int = 0  # lines that became rules
    skipped: dict[str, int] = {}  # by reason
    digest: str = ""  # of the text in use
    seen: str = ""  # digest of the file as it is now, or what is wrong with it
    error: str = ""
    stale: bool = False  # the text is an earlier snapshot's
    broad: bool = False  # as the list says
    keep: int = 0
    kept: int = 0  # lines in use that the file has dropped
    refused: list[
        tuple[int, int]
    ] = []  # lines that reach too much, and how many popular names; the first of them


class ListSection(Struct, frozen=True):
    """Where one list lies in the blob."""

    text: int
    length: int
    index: int  # its line index: newlines before each KiB
    zone: str = ""
    patterns: list[Pattern] = []
    refused: list[int] = []  # lines that are no rules for what they would reach
    part: int = 0  # its entries as `part.py` has them, to be placed again
    entries: int = 0
    records: int = 0
    records_length: int = 0
    exact: int = 0  # as in Blob
    below: int = 0
    clients: list[str] = []


class Blob(Struct, frozen=True):
    """The compiled lists; copied as they are while list files, kinds, formats and order stay the same."""

    length: int
    table: int
    places: int
    homes: int
    entries: int
    sieve: int
    mask: int
    exact: int  # bit n: a name of n labels may be listed alone
    below: int  # bit n: a name of n labels may be listed with what is below
    sections: list[ListSection]
    triggers: int = 0  # rows of triggers that are no names asked
    trigger_count: int = 0
    trigger_keys: list[tuple[int, int]] = []  # as `Triggers` takes them
    trigger_ranks: list[int] = []
    clients: list[str] = []  # addresses and networks that some line is for, or not for


class Meta(Struct, frozen=True):
    generation: int
    spec: SnapshotSpec
    report: list[ListReport]
    blob: Blob
    secret: str  # a keyed digest: whose fingerprints these are, not the secret
    reading: int = 0
    popular: str = ""  # digest of the popular names that lines were measured by


def seal(size: int, at: int, meta: bytes) -> bytes:
    """The header of a file of `size` octets whose meta lies at `at`."""
    bare = HEADER.pack(MAGIC, VERSION, 0, size, at, len(meta), bytes(16))
    digest = blake2b(bare + meta, digest_size=16).digest()
    return HEADER.pack(MAGIC, VERSION, 0, size, at, len(meta), digest)


def owner_of(secret: bytes) -> str:
    """Tells snapshots of one secret from those of another without telling the secret."""
    return blake2b(b"namewarden snapshot", key=secret, digest_size=8).hexdigest()


def read_meta(mapped: mmap.mmap, secret: bytes) -> Meta:
    magic, version, _, size, at, length, _ = HEADER.unpack_from(mapped)
    if magic != MAGIC:
        raise ValueError("magic is wrong")
    if version != VERSION:
        raise ValueError(f"version {version} is not {VERSION}")
    if size != len(mapped) or at + length > size:
        raise ValueError(f"size is {len(mapped)}, not {size}")
    text = mapped[at : at + length]
    if mapped[: HEADER.size] != seal(size, at, text):
        raise ValueError("digest is wrong")
    meta = msgspec.json.decode(text, type=Meta)
    if meta.secret != owner_of(secret):
        raise ValueError("it belongs to another installation")
    return meta
