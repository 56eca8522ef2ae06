"""The last good copy of each list by URL on the disk, and beside it what its server must hear to say "unchanged".

A copy is replaced whole: who reads it has one list, the old or the new, whatever is killed meanwhile.
"""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.policy.overlay import sync_folder


class Subscription(Struct, frozen=True):
    """A list by URL, as it is wanted."""

    name: str
    url: str
    allow_private: bool = False


class Asked(Struct, frozen=True):
    """What is asked of a server: a URL, and what is here of it already."""

    url: str
    allow_private: bool = False
    etag: str = ""
    modified: str = ""
    digest: str = ""


class Fetched(Struct, frozen=True):
    """What came, in a file of its own."""

    etag: str
    modified: str
    digest: str
    size: int


class Copy(Struct, frozen=True):
    """What is known of a copy. It holds no URL: that may have a password."""

    source: str = ""  # digest of the URL that it came from
    time: float = 0.0  # epoch seconds: when the server had the same
    etag: str = ""
    modified: str = ""
    digest: str = ""
    size: int = 0
    stamp: int = 0  # the file's time of change: another file is another list


def path_of(folder: Path, name: str) -> Path:
    """Where the copy lies, or will lie."""
    return folder / f"{name}.list"


def _beside(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def part_of(folder: Path, name: str) -> Path:
    """Where a download lies until it is whole; no other has it."""
    return folder / f"{name}.{secrets.token_hex(4)}.part"


def read(folder: Path, name: str) -> Copy | None:
    """What is known of the copy; nothing but its size where the file is another one. None: there is no copy."""
    try:
        state = path_of(folder, name).stat()
    except OSError:
        return None
    with suppress(OSError, msgspec.MsgspecError):
        copy = msgspec.json.decode(_beside(folder, name).read_bytes(), type=Copy)
        if (copy.size, copy.stamp) == (state.st_size, state.st_mtime_ns):
            return copy
    return Copy(time=state.st_mtime, size=state.st_size)


def asked(subscription: Subscription, copy: Copy | None) -> Asked:
    """What is here counts only where it came from the same URL."""
    base = Asked(subscription.url, subscription.allow_private)
    if copy is None or copy.source != source_of(subscription):
        return base
    return msgspec.structs.replace(base, etag=copy.etag, modified=copy.modified, digest=copy.digest)


def source_of(subscription: Subscription) -> str:
    return hashlib.sha256(subscription.url.encode()).hexdigest()


def keep(folder: Path, name: str, copy: Copy, part: Path | None = None) -> Copy:
    """The copy with what is known of it; `part`, on the disk already, takes the place of the file. OSError."""
    path = path_of(folder, name)
    if part is not None:
        part.replace(path)
    copy = msgspec.structs.replace(copy, stamp=path.stat().st_mtime_ns)
    fresh = folder / f"{name}.new"
    fresh.write_bytes(msgspec.json.encode(copy))
    fresh.replace(_beside(folder, name))
    if part is not None:
        sync_folder(folder)
    return copy


def forget(folder: Path, name: str) -> None:
    """Nobody wants it any more. What cannot be removed now is at the next start."""
    for path in (path_of(folder, name), _beside(folder, name)):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def tidy(folder: Path, names: Collection[str]) -> None:
    """Before anything runs: copies of lists that are no longer wanted go, and what a killed download left."""
    wanted = {f"{name}{end}" for name in names for end in (".list", ".json")}
    for path in folder.iterdir():
        if path.name not in wanted and path.is_file():
            path.unlink(missing_ok=True)
