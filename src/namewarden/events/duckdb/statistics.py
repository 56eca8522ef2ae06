"""What the day files add up to over a time: queries by action, status, reason and hour, top names and clients, gaps.

Counts are sums of `count`, so they add up to the queries answered. Reads beside `writer.py`.
"""

from datetime import date
from typing import Any, get_args

from namewarden.events.duckdb.days import DayFiles, quote, schema_of, start_of
from namewarden.events.duckdb.search import run
from namewarden.events.log import BLOCKED, Gap, Period, Ranked, Summary

_BLOCKED = f"({', '.join(map(quote, BLOCKED))})"


def summarize(days: DayFiles, period: Period) -> Summary:
    by_fact = _per_fact(days, period)
    noted = gaps(days, period)
    return Summary(
        queries=sum(row[4] for row in by_fact),
        rows=sum(row[5] for row in by_fact),
        by_action=_sum(by_fact, 0),
        by_status=_sum(by_fact, 1),
        by_reason=_sum(by_fact, 2),
        by_hour=_hours(by_fact),
        dropped_events=sum(gap.events for gap in noted if gap.kind == "dropped"),
        dropped_queries=sum(gap.queries for gap in noted if gap.kind == "dropped"),
        killed_runs=sum(gap.kind == "killed" for gap in noted),
    )


def top(
    days: DayFiles, of: Ranked, period: Period, limit: int, blocked: bool
) -> list[tuple[str, int]]:
    if of not in get_args(Ranked):  # it becomes part of the statement
        raise ValueError(of)
    parts, values, wanted = [], [], _within(days, period)
    for day in wanted:
        schema = schema_of(day)
        only = f" AND fact IN (SELECT fact FROM {schema}.facts WHERE action IN {_BLOCKED})"
        parts.append(
            f"SELECT {of} AS what, count FROM {schema}.rows WHERE time >= ? AND time < ?"
            + (only if blocked else "")
        )
        values += [period.since, period.until]
    if not parts:
        return []
    inner = " UNION ALL ".join(parts)
    statement = (
        f"SELECT what, sum(count) AS n FROM ({inner}) GROUP BY what ORDER BY n DESC, what LIMIT ?"
    )
    return [(row[0], int(row[1])) for row in run(days, wanted, statement, [*values, limit])]


def gaps(days: DayFiles, period: Period) -> list[Gap]:
    found = []
    for day in reversed(_within(days, period)):
        rows = run(
            days,
            [day],
            "SELECT time, run, source, kind, coalesce(events, 0), coalesce(queries, 0)"
            f" FROM {schema_of(day)}.gaps WHERE time >= ? AND time < ? ORDER BY time, run, kind",
            [period.since, period.until],
        )
        found += [Gap(*row) for row in rows]
    return found


def _within(days: DayFiles, period: Period) -> list[date]:
    return [
        day
        for day in days.present()
        if start_of(day) < period.until and start_of(day) + 86_400 > period.since
    ]


def _per_fact(days: DayFiles, period: Period) -> list[tuple[Any, ...]]:
    """(action, status, reason, hour, queries, rows)"""
    found = []
    for day in _within(days, period):
        schema = schema_of(day)
        found += run(
            days,
            [day],
            "SELECT action, status, reason, hour, sum(q)::BIGINT, sum(n)::BIGINT FROM ("
            f"SELECT fact, floor(time / 3600) * 3600 AS hour, sum(count) AS q, count(*) AS n FROM {schema}.rows"
            f" WHERE time >= ? AND time < ? GROUP BY ALL) r JOIN {schema}.facts f USING (fact) GROUP BY ALL",
            [period.since, period.until],
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
        entry[1] += queries if action in BLOCKED else 0
    return [(hour, queries, blocked) for hour, (queries, blocked) in sorted(found.items())]
