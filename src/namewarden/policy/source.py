"""A list's file: its octets where they can be a list's, else what is wrong with them."""

import os
import re
import stat
from hashlib import blake2b
from pathlib import Path

from namewarden.policy.errors import ListError

LIMIT = (
    128 * 1024 * 1024
)  # octets of one list; the largest public one has 60 MB (AdGuard Home caps at 256 MB)
UNREAD = "cannot be read"
_PAGE = re.compile(  # behind a byte order mark and comments, too
    rb"(?:\xef\xbb\xbf)?\s*+(?:(?><!--.*?-->)\s*+)*+<(?:!doctype|html|\?xml)", re.I | re.S
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))


def look(path: Path, limit: int = LIMIT) -> str:
    """What the file is now: its digest, or `! ` and what is wrong with it."""
    try:
        return digest_of(load(path, limit))
    except ListError as error:
        return f"! {error}"


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
        raise ListError(f"{UNREAD}: {error.strerror}") from error
    _check(data, limit)
    return data if data.endswith(b"\n") else data + b"\n"


def _check(data: bytes, limit: int) -> None:
    if len(data) > limit:
        raise ListError(f"is too large: at most {limit} octets")
    if not data or data.isspace():
        raise ListError("is empty")
    head = data[: 1 << 16]
    if b"\0" in data or len(head) - len(head.translate(None, _CONTROLS)) > 16 + len(head) // 100:
        raise ListError("is binary")
    if _PAGE.match(head):
        raise ListError("is a web page, not a list")
