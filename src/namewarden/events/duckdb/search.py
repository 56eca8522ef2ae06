"""Questions to the day files, newest first, page by page. Reads beside `writer.py`.

Every value a person gives travels as a parameter; SQL is made of the words of this file alone.
"""

import contextlib
import re
import threading
from collections.abc import Iterator
from datetime import date
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import duckdb

from namewarden.events.batch import FACT
from namewarden.events.duckdb.days import DayFiles, schema_of, start_of
from namewarden.events.log import (
    EventLogError,
    FilterError,
    Filters,
    Page,
    is_of,
    name_asked,
    network_asked,
)
from namewarden.query import Event

FIELDS = Event.__struct_fields__
PAGE = 10_000  # rows read at a time, whatever the limit
# Seconds one question may take.
PATIENCE = 60.0
_CURSOR = re.compile(r"^(\d{4}-\d\d-\d\d)_(-?0x[0-9a-f.]+p[+-]\d+)_(\d{1,19})_(\d{1,9})$")
_FROM_FACT = (
    "action",
    "status",
    "reason",
    "group",
    "family",
    "qtype",
    "transport",
    "rcode",
    "source",
    "band",
)


Position = tuple[date, float, int, int]
Clause = tuple[str, list[Any]]


def find(days: DayFiles, filters: Filters, limit: int = 100, cursor: str = "") -> Page:
    """The newest events that match, after the page that gave `cursor`."""
    position = from_cursor(cursor) if cursor else None
    events: list[Event] = []
    for day in _days(days, filters, position):
        rows = _read(days, day, filters, limit - len(events), position)
        events += [to_event(row) for row in rows]
        if len(events) >= limit:
            _, at, number, fact = day, rows[-1][1], rows[-1][-2], rows[-1][-1]
            return Page(events, to_cursor((day, at, number, fact)))
        position = None
    return Page(events, "")


def find_all(days: DayFiles, filters: Filters, limit: int | None = None) -> Iterator[list[Event]]:
    """Every match, newest first, in pages: never more than one page in memory."""
    cursor, left = "", limit if limit is not None else 1 << 62
    while left > 0:
        page = find(days, filters, min(left, PAGE), cursor)
        if page.events:
            yield page.events
        left -= len(page.events)
        cursor = page.cursor
        if not cursor:
            return


def _days(days: DayFiles, filters: Filters, position: Position | None) -> list[date]:
    return [
        day
        for day in days.present()
        if (filters.until is None or start_of(day) < filters.until)
        and (filters.since is None or start_of(day) + 86_400 > filters.since)
        and (position is None or day <= position[0])
    ]


def _read(
    days: DayFiles, day: date, filters: Filters, limit: int, position: Position | None
) -> list[tuple[Any, ...]]:
    facts = _facts(days, day, filters)
    if facts == "":
        return []
    where, values = to_sql(filters)
    where += facts or ""
    if network := network_asked(filters.client):
        where += " AND client IN (SELECT unnest(?::VARCHAR[]))"
        values.append(_clients(days, day, network))
    if position is not None and position[0] == day:
        where += " AND time <= ? AND (time, number, fact) < (?, ?, ?)"
        values += [position[1], *position[1:]]
    order = "ORDER BY time DESC, number DESC, fact DESC"
    texts = ", ".join(f'f."{name}"' if name in FACT else _ROW[name] for name in FIELDS)
    name = schema_of(day)
    return run(
        days,
        [day],
        f"SELECT {texts}, number, fact FROM (SELECT * FROM {name}.rows WHERE {where} {order} LIMIT ?) r"
        f" JOIN {name}.facts f USING (fact) {order}",
        [*values, limit],
    )


_ROW = {
    "id": "f.run || '-' || r.number",
    **{
        name: f"r.{name}"
        for name in "time client name rule score duration cnames addresses count".split()
    },
}


def to_sql(filters: Filters) -> Clause:
    """Condition on `rows`, and its parameters."""
    parts: list[str] = ["TRUE"]
    values: list[Any] = []
    for sign, moment in ((">=", filters.since), ("<", filters.until)):
        if moment is not None:
            parts.append(f"time {sign} ?")
            values.append(moment)
    if filters.name:
        name, is_ending = name_asked(filters.name)
        parts.append("ends_with(name, ?)" if is_ending else "name = ?")
        values.append(name)
    if filters.client and not network_asked(filters.client):
        parts.append("client = ?")
        values.append(filters.client)
    return " AND ".join(parts), values


def _clients(days: DayFiles, day: date, network: IPv4Network | IPv6Network) -> list[str]:
    rows = run(days, [day], f"SELECT DISTINCT client FROM {schema_of(day)}.rows", [])
    return [row[0] for row in rows if is_of(row[0], network)]


def _facts(days: DayFiles, day: date, filters: Filters) -> str | None:
    """The condition on facts as numbers, which DuckDB looks for much faster than for a join's result.
    None when nothing is asked of them, "" when no fact fits."""
    asked = [name for name in _FROM_FACT if getattr(filters, name)]
    if not asked:
        return None
    inner = f"SELECT fact FROM {schema_of(day)}.facts WHERE " + " AND ".join(
        f'"{n}" = ?' for n in asked
    )
    rows = run(days, [day], inner, [getattr(filters, name) for name in asked])
    return f" AND fact IN ({', '.join(str(int(row[0])) for row in rows)})" if rows else ""


def run(
    days: DayFiles, wanted: list[date], statement: str, values: list[Any]
) -> list[tuple[Any, ...]]:
    """The rows of one statement over attached days. EventLogError when the store cannot say."""
    for _ in range(len(wanted) + 1):
        try:
            return _run(days, wanted, statement, values)
        except duckdb.InterruptException as problem:
            raise EventLogError(
                f"the question took longer than {PATIENCE:.0f} s: ask for less time"
            ) from problem
        except duckdb.Error as problem:
            failed = problem
            if not _mended(days, wanted, problem):
                break
    raise EventLogError(str(failed).splitlines()[0]) from failed


def _mended(days: DayFiles, wanted: list[date], problem: duckdb.Error) -> bool:
    """Whether it is worth asking again: a damaged day was mended, or one was closed meanwhile."""
    if isinstance(problem, duckdb.CatalogException | duckdb.BinderException):
        return True
    for day in wanted:
        with contextlib.suppress(EventLogError):
            days.mend(day, problem)
            return True
    return False


def _run(
    days: DayFiles, wanted: list[date], statement: str, values: list[Any]
) -> list[tuple[Any, ...]]:
    cursor = days.cursor()
    timer = threading.Timer(PATIENCE, cursor.interrupt)
    timer.start()
    try:
        for day in wanted:
            days.open(day)
        rows: list[tuple[Any, ...]] = cursor.execute(statement, values).fetchall()
        return rows
    finally:
        timer.cancel()
        cursor.close()


def to_event(row: tuple[Any, ...]) -> Event:
    values = dict(zip(FIELDS, row, strict=False))
    values["cnames"] = tuple(values["cnames"].split())
    values["addresses"] = tuple(values["addresses"].split())
    return Event(**values)


def to_cursor(position: Position) -> str:
    day, at, number, fact = position
    return f"{day.isoformat()}_{at.hex()}_{number}_{fact}"


def from_cursor(text: str) -> Position:
    match = _CURSOR.match(text)
    if not match:
        raise FilterError("cursor: not one that a page gave")
    try:
        return date.fromisoformat(match[1]), float.fromhex(match[2]), int(match[3]), int(match[4])
    except (ValueError, OverflowError) as problem:
        raise FilterError("cursor: not one that a page gave") from problem
