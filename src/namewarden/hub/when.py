"""Times and durations as people write them: `10m`, `2026-11-21T10:00:00Z`, epoch seconds."""

import math
import re
from datetime import UTC, datetime

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_DURATION = re.compile(r"^(\d{1,9}(?:\.\d{1,6})?)([smhdw])$")


def duration(text: str) -> float:
    """Seconds of `90s`, `10m`, `1.5h`, `7d`, `2w`. ValueError for anything else."""
    match = _DURATION.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a duration such as 90s, 10m, 12h, 7d or 2w")
    return float(match[1]) * UNITS[match[2]]


def moment(text: str, now: float) -> float:
    """Epoch seconds of a duration ago, an ISO 8601 time (UTC when it names no zone), or epoch seconds."""
    text = text.strip()
    if _DURATION.match(text):
        return now - duration(text)
    try:
        value = float(text)
    except ValueError:
        return _iso(text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a time")
    return value


def _iso(text: str) -> float:
    try:
        value = datetime.fromisoformat(text)
    except ValueError as problem:
        raise ValueError(
            f"{text!r} is not a time such as 10m (ago), 2026-11-21T10:00:00Z or epoch seconds"
        ) from problem
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
