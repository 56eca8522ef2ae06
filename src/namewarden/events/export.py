"""Events as text for other tools: CSV and JSON lines, page by page as an event log exports them.

A spreadsheet must not run what a client wrote into a name.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from namewarden.query import Event

# OWASP "CSV injection": a cell that opens with one of these may be a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
FIELDS = Event.__struct_fields__
_encode = msgspec.json.Encoder().encode


def to_dict(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in FIELDS}


def to_jsonl(pages: Iterable[list[Event]]) -> Iterator[bytes]:
    for events in pages:
        yield b"".join(_encode(to_dict(event)) + b"\n" for event in events)


def to_csv(pages: Iterable[list[Event]]) -> Iterator[bytes]:
    """With a header line, also when nothing follows. Lists are joined by blanks."""
    yield _lines([list(FIELDS)])
    for events in pages:
        yield _lines([[_cell(getattr(event, name)) for name in FIELDS] for event in events])


def _lines(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    text = " ".join(value) if isinstance(value, tuple) else value
    if isinstance(text, str) and text.startswith(_FORMULA):
        return "'" + text
    return text
