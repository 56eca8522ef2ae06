"""Until when a line of a plain list holds, as its comment says: `bad.example # expires=2026-12-31`.

A day holds to its end, UTC; a time is that of RFC 3339, with seconds and offset. Counterparts: `formats.py` reads it
with the line, `terms.py` weighs it; `docs/lists.md` says it to people.
"""

import re
from datetime import UTC, datetime

from msgspec.structs import replace

from namewarden.policy.lines import Reading
from namewarden.policy.terms import Terms

_SAID = re.compile(r"(?:^|\s)#.*?\bexpires=(\S*)", re.I)
DAY = 86_400.0  # seconds
FIRST = 1.0  # 0 would be never
LAST = 253_402_300_799.0  # of the years of four digits
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def timed(line: str, reading: Reading) -> Reading:
    """With the expiry that the line's comment says; a line whose expiry is no time is none."""
    if "xpires=" not in line.lower() or not isinstance(reading, tuple):
        return reading
    found = _SAID.search(line)
    if found is None:
        return reading
    end = end_of(found[1].rstrip(",;"))
    if end is None:
        return "expires"
    return tuple(replace(rule, terms=Terms(expires=end)) for rule in reading)


def end_of(text: str) -> float | None:
    """Epoch seconds; None when it is no time."""
    try:
        if _DAY.fullmatch(text):
            end = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() + DAY
        elif _TIME.fullmatch(text):
            end = datetime.fromisoformat(text.upper()).timestamp()
        else:
            return None
    except ValueError:
        return None
    return min(max(end, FIRST), LAST)


def shown(end: float) -> str:
    """A time as lines say it."""
    return datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
