"""Lines that a list's file has dropped and that hold a while longer, each with its time in its comment (`expiry.py`).

Feeds of indicators show what is new; what an operator wants blocked is what was seen in the last days. The text that
was compiled the last time is all that is remembered. Counterpart: `compile.py`.
"""

import re
from collections.abc import Iterator

from namewarden.policy import expiry

_SAID = re.compile(rb"#.*?\bexpires=(\S*)", re.I)
_COMMENT = re.compile(rb"[ \t]#")


def with_kept(text: bytes, before: bytes, end: float, now: float, limit: int) -> tuple[bytes, int]:
    """The text and, behind it, the lines of the one before that it lacks and whose time is not over; how many.

    `end`: of what is dropped now, epoch seconds. Lines that say their own expiry keep it. Above `limit` octets together
    what was dropped first is let go.
    """
    comment = b"  # kept, expires=" + expiry.shown(end).encode()
    known = {_bare(line) for line in text.split(b"\n")}
    made, length = [text], len(text)
    for line in _kept(before, known, comment, now):
        length += len(line) + 1
        if length > limit:
            break
        made.append(line + b"\n")
    return b"".join(made), len(made) - 1


def _kept(before: bytes, known: set[bytes], comment: bytes, now: float) -> Iterator[bytes]:
    for line in before.split(b"\n"):
        bare = _bare(line)
        if bare in known or not bare or bare[0] in b"#!;":
            continue
        known.add(bare)
        said = _SAID.search(line)
        if said is None:
            yield bare + comment
        elif (expiry.end_of(said[1].decode("latin-1").rstrip(",;")) or 0.0) > now:
            yield line


def _bare(line: bytes) -> bytes:
    """Without its comment."""
    found = _COMMENT.search(line)
    return (line[: found.start()] if found else line).strip().lower()
