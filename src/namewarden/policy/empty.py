"""The empty non-terminals of a zone (RFC 4592 §2.2.2): names that exist for what lies below them, and end the reach of
the wildcards above them. Counterpart: `scan.py`, which takes them.
"""

from collections.abc import Callable

import numpy as np

from namewarden.policy import layout

Mark = Callable[[bytes], bytes]  # a name's fingerprint


def suffixes_of(names: dict[bytes, int], lowest: int) -> dict[bytes, int]:
    """The names and what is above them, of `lowest` labels and more, each with where it is spelled."""
    found: dict[bytes, int] = {}
    for name, offset in names.items():
        while name and name not in found and name.count(b".") + 1 >= lowest:
            found[name] = offset
            at = name.find(b".") + 1
            name, offset = (name[at:], offset + at) if at else (b"", 0)
    return found


def covered(names: set[bytes], wild: layout.Words, mark_of: Mark) -> list[bytes]:
    """Those that have a wildcard above them. `wild`: fingerprints of the zone's wildcards, sorted."""
    ordered = [b"", *sorted(names, key=lambda name: name.count(b"."))]
    marks = np.frombuffer(b"".join(map(mark_of, ordered)), "<u8")
    places = np.searchsorted(wild, marks)
    is_wild = dict(zip(ordered, (wild[places % len(wild)] == marks).tolist(), strict=True))
    found = {b"": False}
    for name in ordered[1:]:
        _, _, above = name.partition(b".")
        found[name] = is_wild.get(above, False) or found.get(above, False)
    return [name for name in ordered if found[name]]


def wildcards(prints: layout.Words, lows: layout.Words, more: list[bytes]) -> layout.Words:
    """Fingerprints of a zone's wildcards, sorted: of its entries, and `more`."""
    kinds = lows >> np.uint64(layout.KIND_SHIFT)
    is_zone = kinds & np.uint64(7) >= np.uint64(layout.NXDOMAIN)
    chosen = is_zone & (kinds >> np.uint64(3) & np.uint64(layout.BELOW) != 0)
    return np.sort(np.concatenate([prints[chosen], np.frombuffer(b"".join(more), "<u8")]))
