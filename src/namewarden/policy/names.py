"""Names as policy sees them: their suffixes, and which texts of a list are names at all.

A name is a lower-case FQDN with its final dot, as `wire/` makes it (RFC 1035 §5.1 escapes). Names of lists
may be LDH, underscores and IDN U-labels; everything else cannot be asked for by an honest client.
"""

import re
from collections.abc import Iterator

import idna

LABEL_LIMIT, NAME_LIMIT = 63, 253  # RFC 1035 §2.3.4, as text without the final dot
_PLAIN = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", re.ASCII)
_ESCAPED_OR_DOT = re.compile(r"\\(?:[0-9]{3}|.)|(\.)", re.DOTALL)


def dots(name: str) -> Iterator[int]:
    """Where the dots between labels are; escaped ones are part of their label."""
    if "\\" not in name:
        at = name.find(".")
        while at >= 0:
            yield at
            at = name.find(".", at + 1)
        return
    yield from (found.start() for found in _ESCAPED_OR_DOT.finditer(name) if found[1])


def suffixes(name: str) -> list[str]:
    """The name itself, then each parent, without the root: `a.b.` → `a.b.`, `b.`."""
    starts = [0, *(at + 1 for at in dots(name) if at + 1 < len(name))]
    return [name[start:] for start in starts] if name != "." else []


def listed(text: str) -> str | None:
    """The FQDN a list means by this text, or None when it is no name. IDN U-labels become A-labels."""
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.removesuffix(".")
    if len(name) > NAME_LIMIT or not _PLAIN.fullmatch(name) or _is_number(name):
        return None
    return name + "."


def _is_number(name: str) -> bool:
    """Whether the last label is all digits: an address or a counter, never a name (RFC 3696 §2)."""
    return name.rpartition(".")[2].isdigit()
