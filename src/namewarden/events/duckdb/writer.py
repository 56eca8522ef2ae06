"""Writes into the day files: batches go in as columns, one transaction a file; what returns is committed.

For one thread; `search.py` and `statistics.py` read beside it.
"""

import contextlib
from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
import numpy as np
from msgspec.structs import astuple

from namewarden.events.batch import FACT, TEXTS, Batch, lines, numbers
from namewarden.events.duckdb.days import COLUMNS, DayFile, DayFiles, Fact, day_of, oldest_kept
from namewarden.events.duckdb.room import Room
from namewarden.events.log import EventLogError, Gap, Stored

AHEAD = 86_400.0  # seconds a source's clock may be before ours
FAR = 2e11  # a time that still has a calendar date
Arrays = dict[str, np.ndarray[Any, Any]]
Step = tuple[str, list[Any]]
Part = tuple[date | None, Arrays]  # None: rows that are not kept


class Writer:
    """Appends, and removes what is too old."""

    def __init__(
        self, days: DayFiles, retention: int, clock: Callable[[], float], room: Room
    ) -> None:
        self._days = days
        self._room = room
        self._retention = retention
        self._clock = clock
        self._pruned: date | None = None

    def start(self) -> None:
        """Take away what is too old, and see that today's file can be written."""
        self._prune()
        self._open(day_of(self._clock()))

    def _prune(self) -> None:
        """Remove the days beyond the retention, once a day."""
        oldest = oldest_kept(self._clock(), self._retention)
        if self._pruned == oldest:
            return
        self._pruned = oldest
        for day in self._days.present():
            if day < oldest:
                self._days.remove(day)

    def append(self, batch: Batch) -> Stored:
        """Store it, each day file in one transaction."""
        octets = sum(map(len, (*batch.texts.values(), *batch.numbers.values())))
        self._room.check(octets)
        self._prune()
        if not batch.rows and not batch.dropped_events:
            return Stored()
        columns = _columns(batch)
        parts = self._by_day(columns)
        gap = self._dropped(batch, parts)
        if gap and not any(day for day, _ in parts):
            parts.append((day_of(gap.time), {name: each[:0] for name, each in columns.items()}))
        rows = repeated = misdated = 0
        for day, part in parts:
            size = len(part["time"])
            if day is None:
                misdated += size
            elif self._append(batch, day, part, gap if gap and day == day_of(gap.time) else None):
                rows += size
            else:
                repeated += size
        self._room.keep(octets)
        return Stored(rows, repeated, misdated)

    def note_gap(self, gap: Gap) -> None:
        self._room.check()
        when = day_of(gap.time)
        day = self._open(when)
        self._transaction(when, [_insert_gap(day, gap)])

    def _dropped(self, batch: Batch, parts: list[Part]) -> Gap | None:
        """What the source dropped. Its time is that of the last event kept: one file has both, once."""
        if not batch.dropped_events:
            return None
        lasts = [float(part["time"].max()) for day, part in parts if day and len(part["time"])]
        return Gap(
            max(lasts, default=self._clock()),
            batch.run,
            batch.source,
            "dropped",
            batch.dropped_events,
            batch.dropped_queries,
        )

    def _by_day(self, columns: Arrays) -> list[Part]:
        now, times = self._clock(), columns["time"]
        if not len(times):
            return [(day_of(now), columns)]
        oldest, newest = oldest_kept(now, self._retention), day_of(now + AHEAD)
        first, last = float(times.min()), float(times.max())
        if first >= 0 and last < FAR and day_of(first) == day_of(last):
            day = day_of(first)
            return [(day if oldest <= day <= newest else None, columns)]
        stamps = np.floor(np.clip(times, 0, FAR) / 86_400)
        parts: list[Part] = []
        for stamp in np.unique(stamps):
            mask = stamps == stamp
            day = day_of(float(stamp) * 86_400)
            kept = day if oldest <= day <= newest else None
            parts.append((kept, {name: column[mask] for name, column in columns.items()}))
        return parts

    def _append(self, batch: Batch, when: date, columns: Arrays, gap: Gap | None) -> bool:
        """False when this day has the batch already: sequences of a run rise."""
        day = self._open(when)
        if day.last.get(batch.run, 0) >= batch.sequence:
            return False
        new, columns["fact"] = _number_facts(day, batch, columns["fact"])
        steps: list[Step] = []
        if len(columns["time"]):
            steps.append((_insert_rows(day, columns), []))
        if new:
            steps.append((f"INSERT INTO {day.name}.facts SELECT * FROM new_facts", []))
        mark = [batch.run, batch.sequence, len(columns["time"]), self._clock()]
        steps.append((f"INSERT INTO {day.name}.batches VALUES (?, ?, ?, ?)", mark))
        if gap:
            steps.append(_insert_gap(day, gap))
        self._transaction(when, steps, columns, _fact_columns(new))
        day.learn(new)
        day.last[batch.run] = batch.sequence
        return True

    def _transaction(
        self,
        when: date,
        steps: list[Step],
        batch: Arrays | None = None,
        new_facts: Arrays | None = None,
    ) -> None:
        """Statements with their values. In SQL `batch` and `new_facts` are the arguments of these names (DuckDB's
        replacement scan)."""
        with self._days.writing, contextlib.closing(self._days.cursor()) as cursor:
            try:
                cursor.begin()
                for statement, values in steps:
                    cursor.execute(statement, values)
                cursor.commit()
                return
            except duckdb.Error as problem:
                failed = problem
        # The file is closed and opened afresh by the same batch, when it comes again: healed, or mended.
        self._days.mend(when, failed)
        raise EventLogError(
            f"the file of {when} was damaged; the batch is to be sent again"
        ) from failed

    def _open(self, when: date) -> DayFile:
        try:
            return self._days.open(when)
        except duckdb.Error as problem:
            raise EventLogError(f"{when}: {str(problem).splitlines()[0]}") from problem


def _insert_rows(day: DayFile, columns: Arrays) -> str:
    """Of the columns in `batch`; see `_transaction`."""
    given = {name: name if name in columns else "''" for name in COLUMNS}
    given["score"] = (
        "CASE WHEN isnan(score) THEN NULL ELSE score END" if "score" in columns else "NULL"
    )
    return f"INSERT INTO {day.name}.rows SELECT {', '.join(given.values())} FROM batch"


def _insert_gap(day: DayFile, gap: Gap) -> Step:
    return f"INSERT INTO {day.name}.gaps VALUES (?, ?, ?, ?, ?, ?)", list(astuple(gap))


def _columns(batch: Batch) -> Arrays:
    """By their names in the file. Text and score are left out where they are empty throughout."""
    columns: Arrays = {
        "time": numbers(batch, "time"),
        "number": np.arange(batch.first, batch.first + batch.rows, dtype=np.int64),
        "fact": numbers(batch, "fact"),
        "duration": numbers(batch, "duration"),
        "count": numbers(batch, "count"),
    }
    if not np.isnan(score := numbers(batch, "score")).all():
        columns["score"] = score
    for name in TEXTS:
        if len(batch.texts.get(name, "")) >= batch.rows:  # else only line ends
            columns[name] = _objects(lines(batch, name))
    return columns


def _objects(texts: list[str]) -> "np.ndarray[Any, Any]":
    """As `np.array(texts, object)`, sooner."""
    column = np.empty(len(texts), object)
    column[:] = texts
    return column


def _fact_columns(new: dict[Fact, int]) -> Arrays:
    """One insert for all: a client that asks for every type there is makes thousands in a batch."""
    columns: Arrays = {"fact": np.fromiter(new.values(), np.int32)}
    for name, texts in zip(("run", *FACT), zip(*new, strict=True), strict=False):
        columns[name] = _objects(list(texts))
    return columns


def _number_facts(day: DayFile, batch: Batch, codes: Any) -> tuple[dict[Fact, int], Any]:
    """The new facts with their numbers in this file, and the rows' column of numbers."""
    new: dict[Fact, int] = {}
    table = np.zeros(len(batch.facts), dtype=np.int32)
    for code in np.unique(codes).tolist():
        fact = (batch.run, *batch.facts[code])
        known = day.facts.get(fact)
        if known is None:
            known = new.setdefault(fact, day.next_fact + len(new))
        table[code] = known
    return new, table[codes]
