"""What the event log adds up to over a time: queries by action, status, reason and hour, top names and clients.

Counts are sums of `count`, so they add up to the queries answered. Reads beside the writer of `store.py`.
"""

from datetime import date
from typing import Any

from msgspec import Struct

from namewarden.events.days import Days, schema_of, start_of
from namewarden.events.search import run

BLOCKED = "('block', 'redirect')"


class Statistics(Struct, frozen=True):
    queries: int
    rows: int
    by_action: dict[str, int]
    by_status: dict[str, int]
    by_reason: dict[str, int]
    by_hour: list[tuple[float, int, int]]  # (start, queries, of these blocked or redirected)
    dropped_events: int  # reported by sources as not kept
    dropped_queries: int
    killed_runs: int  # sources that ended without handing over


def summarize(days: Days, since: float, until: float) -> Statistics:
    by_fact = _per_fact(days, since, until)
    gaps = _gaps(days, since, until)
    return Statistics(
        queries=sum(row[4] for row in by_fact),
        rows=sum(row[5] for row in by_fact),
        by_action=_sum(by_fact, 0),
        by_status=_sum(by_fact, 1),
        by_reason=_sum(by_fact, 2),
        by_hour=_hours(by_fact),
        dropped_events=sum(row[1] for row in gaps if row[0] == "dropped"),
        dropped_queries=sum(row[2] for row in gaps if row[0] == "dropped"),
        killed_runs=sum(row[3] for row in gaps if row[0] == "killed"),
    )


def top(
    days: Days, column: str, since: float, until: float, limit: int = 20, blocked: bool = False
) -> list[tuple[str, int]]:
    """The most frequent names or clients (`column`), with their queries."""
    if column not in ("name", "client"):
        raise ValueError(column)
    parts, values, wanted = [], [], _within(days, since, until)
    for day in wanted:
        schema = schema_of(day)
        only = f" AND fact IN (SELECT fact FROM {schema}.facts WHERE action IN {BLOCKED})"
        parts.append(
            f"SELECT {column} AS what, count FROM {schema}.rows WHERE time >= ? AND time < ?"
            + (only if blocked else "")
        )
        values += [since, until]
    if not parts:
        return []
    inner = " UNION ALL ".join(parts)
    statement = (
        f"SELECT what, sum(count) AS n FROM ({inner}) GROUP BY what ORDER BY n DESC, what LIMIT ?"
    )
    return [(row[0], int(row[1])) for row in run(days, wanted, statement, [*values, limit])]


def _within(days: Days, since: float, until: float) -> list[date]:
    return [d for d in days.present() if start_of(d) < until and start_of(d) + 86_400 > since]


def _per_fact(days: Days, since: float, until: float) -> list[tuple[Any, ...]]:
    """(action, status, reason, hour, queries, rows)"""
    found = []
    for day in _within(days, since, until):
        schema = schema_of(day)
        found += run(
            days,
            [day],
            "SELECT action, status, reason, hour, sum(q)::BIGINT, sum(n)::BIGINT FROM ("
            f"SELECT fact, floor(time / 3600) * 3600 AS hour, sum(count) AS q, count(*) AS n FROM {schema}.rows"
            f" WHERE time >= ? AND time < ? GROUP BY ALL) r JOIN {schema}.facts f USING (fact) GROUP BY ALL",
            [since, until],
        )
    return found


def _gaps(days: Days, since: float, until: float) -> list[tuple[Any, ...]]:
    """(kind, events, queries, how often)"""
    found = []
    for day in _within(days, since, until):
        found += run(
            days,
            [day],
            "SELECT kind, coalesce(sum(events), 0)::BIGINT, coalesce(sum(queries), 0)::BIGINT, count(*)"
            f" FROM {schema_of(day)}.gaps WHERE time >= ? AND time < ? GROUP BY kind",
            [since, until],
        )
    return found


def _sum(rows: list[tuple[Any, ...]], place: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row[place]] = found.get(row[place], 0) + row[4]
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _hours(rows: list[tuple[Any, ...]]) -> list[tuple[float, int, int]]:
    found: dict[float, list[int]] = {}
    for action, _, _, hour, queries, _ in rows:
        entry = found.setdefault(hour, [0, 0])
        entry[0] += queries
        entry[1] += queries if action in ("block", "redirect") else 0
    return [(hour, queries, blocked) for hour, (queries, blocked) in sorted(found.items())]
