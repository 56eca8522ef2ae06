"""The overlay: local rules and decisions as a small file beside the snapshot, so that a change compiles no list.

An overlay is whole in itself, or says what is other than in its base, a file of the same kind: with a hundred
thousand decisions a change still writes little. Files never change; `overlay` is a link that is moved by a rename.
Counterparts: the hub writes (`hub/overlay.py`), `rules.py` makes it ready to be asked.
"""

import os
import struct
import tempfile
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.policy.errors import ListError
from namewarden.policy.spec import RuleSpec

MAGIC, VERSION = b"NWRULES\0", 1
HEADER = struct.Struct("<8sIIQ16s")  # magic, version, 0, octets of the body, digest
LIMIT = 256 * 1024 * 1024  # octets of a file; a decision has about 90
COUNT_LIMIT = 200_000  # rules and decisions
LINK = "overlay"


class Overlay(Struct, frozen=True, array_like=True):
    """Rules in force: those of the base but for `gone`, and `rules`."""

    generation: int = 0
    rules: tuple[RuleSpec, ...] = ()
    gone: tuple[RuleSpec, ...] = ()  # of the base, as they are there
    base: int = 0  # its generation; 0 = there is none
    digest: bytes = b""  # of the base


def path_of(folder: Path, generation: int) -> Path:
    return folder / f"overlay-{generation}.rules"


def write(folder: Path, overlay: Overlay, secret: bytes) -> bytes:
    """Write its file, whole or not at all; the digest. OSError; ListError when it is too large."""
    body = msgspec.msgpack.encode(overlay)
    if len(body) > LIMIT:
        raise ListError(f"rules and decisions have {len(body)} octets, at most {LIMIT}")
    digest = _digest(body, secret)
    handle, part = tempfile.mkstemp(dir=folder, prefix=".overlay.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(HEADER.pack(MAGIC, VERSION, 0, len(body), digest) + body)
            file.flush()
            os.fsync(handle)
        os.replace(part, path_of(folder, overlay.generation))
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return digest


def put_in_force(folder: Path, generation: int) -> None:
    """Move the link. OSError."""
    move_link(folder / LINK, path_of(folder, generation).name)


def move_link(link: Path, target: str) -> None:
    """Point it at another file of its folder; whoever reads it sees the old or the new. OSError."""
    new = link.with_name(f"{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def sync_folder(folder: Path) -> None:
    """What was renamed in it is so after a power cut, too. OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(path: Path, secret: bytes, digest: bytes = b"") -> Overlay:
    """A whole overlay of this installation, and of this digest where one is given. ListError."""
    try:
        with path.open("rb") as file:
            data = file.read(HEADER.size + LIMIT + 1)
        magic, version, _, length, found = HEADER.unpack_from(data)
        if magic != MAGIC or version != VERSION or length != len(data) - HEADER.size:
            raise ValueError("header is wrong")
        body = memoryview(data)[HEADER.size :]
        if found != _digest(body, secret) or (digest and found != digest):
            raise ValueError("digest is wrong, or it belongs to another installation")
        return msgspec.msgpack.decode(body, type=Overlay)
    except OSError as error:
        raise ListError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, struct.error, msgspec.MsgspecError) as error:
        raise ListError(f"{path}: is no overlay: {error}") from error


def _digest(body: bytes | memoryview, secret: bytes) -> bytes:
    return blake2b(body, key=secret, digest_size=16).digest()
