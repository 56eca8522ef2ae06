"""The event log, kept: batches go in as columns, one transaction a day file; acknowledged means committed.

The hub is the only process that opens it. `append` is for one writer thread (`batch.py` says what comes);
`search.py` and `statistics.py` read beside it.
"""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from msgspec import Struct

from namewarden.events.batch import FACT, Batch, lines, numbers
from namewarden.events.days import Day, Days, Fact, StoreError, day_of, oldest_kept

AHEAD = 86_400.0  # seconds a source's clock may be before ours
FAR = 2e11  # a time that still has a calendar date
COLUMNS = "time, number, fact, client, name, rule, score, duration, cnames, addresses, count"
_INSERT = (
    "INSERT INTO {day}.rows SELECT time, number, fact, client, name, rule,"
    " CASE WHEN isnan(score) THEN NULL ELSE score END, duration, cnames, addresses, count FROM batch"
)
Columns = dict[str, np.ndarray[Any, Any]]


class Stored(Struct, frozen=True):
    """What became of a batch."""

    rows: int = 0  # stored now
    repeated: int = 0  # were here already
    misdated: int = 0  # older than the retention, or from the future: not kept


class Store:
    """`start()`, then `append` and the readers, then `stop()`."""

    def __init__(
        self,
        folder: Path,
        retention: int,
        clock: Callable[[], float] = time.time,
        memory: str = "256MB",
    ) -> None:
        self.days = Days(folder, memory)
        self.retention = retention
        self.problem = ""  # why the last batch could not be stored; "" = it was
        self._clock = clock
        self._pruned: date | None = None

    def start(self) -> None:
        """Open it, take away what is too old, and see that today's file can be written."""
        self.days.start()
        self.prune()
        self.days.open(day_of(self._clock()))

    def stop(self) -> None:
        self.days.stop()

    def prune(self) -> list[date]:
        """Remove the days beyond the retention, once a day."""
        oldest = oldest_kept(self._clock(), self.retention)
        if self._pruned == oldest:
            return []
        self._pruned = oldest
        old = [day for day in self.days.present() if day < oldest]
        for day in old:
            self.days.remove(day)
        return old

    def append(self, batch: Batch) -> Stored:
        """Store it, each day file in one transaction. StoreError: not all is stored, send it again."""
        self.prune()
        if not batch.rows and not batch.dropped_events:
            return Stored()
        columns = _columns(batch)
        rows = repeated = misdated = 0
        for day, part in self._by_day(columns):
            size = len(part["time"])
            if day is None:
                misdated += size
            elif self._append(day, batch, part):
                rows += size
            else:
                repeated += size
        return Stored(rows, repeated, misdated)

    def note_gap(self, run: str, source: str, kind: str) -> None:
        """A source ended without saying so: what it still held, at most a second's, is not known."""
        now = self._clock()
        day = self.days.open(day_of(now))
        self._transaction(
            day_of(now),
            [
                (
                    f"INSERT INTO {day.name}.gaps VALUES (?, ?, ?, ?, NULL, NULL)",
                    [now, run, source, kind],
                )
            ],
        )

    def _by_day(self, columns: Columns) -> list[tuple[date | None, Columns]]:
        now, times = self._clock(), columns["time"]
        if not len(times):
            return [(day_of(now), columns)]
        oldest, newest = oldest_kept(now, self.retention), day_of(now + AHEAD)
        first, last = float(times.min()), float(times.max())
        if first >= 0 and last < FAR and day_of(first) == day_of(last):
            day = day_of(first)
            return [(day if oldest <= day <= newest else None, columns)]
        stamps = np.floor(np.clip(times, 0, FAR) / 86_400)
        parts = []
        for stamp in np.unique(stamps):
            mask = stamps == stamp
            day = day_of(float(stamp) * 86_400)
            kept = day if oldest <= day <= newest else None
            parts.append((kept, {name: column[mask] for name, column in columns.items()}))
        return parts

    def _append(self, when: date, batch: Batch, columns: Columns) -> bool:
        """False when this day has the batch already: sequences of a run rise."""
        try:
            day = self.days.open(when)
        except duckdb.Error as problem:
            self.problem = f"{self.days.path(when).name}: {str(problem).splitlines()[0]}"
            raise StoreError(self.problem) from problem
        if day.last.get(batch.run, 0) >= batch.sequence:
            return False
        new, columns["fact"] = _number_facts(day, batch, columns["fact"])
        steps: list[tuple[str, Any]] = []
        if len(columns["time"]):
            steps.append((_INSERT.format(day=day.name), columns))
        marks = ", ".join("?" * (len(FACT) + 2))
        steps += [
            (f"INSERT INTO {day.name}.facts VALUES ({marks})", [number, *fact])
            for fact, number in new.items()
        ]
        steps += self._notes(day, batch, len(columns["time"]))
        self._transaction(when, steps)
        day.learn(new)
        day.last[batch.run] = batch.sequence
        return True

    def _notes(self, day: Day, batch: Batch, rows: int) -> list[tuple[str, Any]]:
        now = self._clock()
        mark = (
            f"INSERT INTO {day.name}.batches VALUES (?, ?, ?, ?)",
            [batch.run, batch.sequence, rows, now],
        )
        if not batch.dropped_events:
            return [mark]
        lost = [
            now,
            batch.run,
            batch.source,
            "dropped",
            batch.dropped_events,
            batch.dropped_queries,
        ]
        return [mark, (f"INSERT INTO {day.name}.gaps VALUES (?, ?, ?, ?, ?, ?)", lost)]

    def _transaction(self, when: date, steps: list[tuple[str, Any]]) -> None:
        cursor = self.days.cursor()
        try:
            cursor.begin()
            for statement, values in steps:
                if isinstance(values, dict):
                    cursor.register("batch", values)
                    cursor.execute(statement)
                    cursor.unregister("batch")
                else:
                    cursor.execute(statement, values)
            cursor.commit()
            self.problem = ""
        except duckdb.Error as problem:
            self.problem = f"{self.days.path(when).name}: {str(problem).splitlines()[0]}"
            cursor.close()  # rolls back
            self._let_go(when)
            raise StoreError(self.problem) from problem
        finally:
            cursor.close()

    def _let_go(self, when: date) -> None:
        """Close the file, so that the next batch opens it afresh: healed, or set aside."""
        try:
            self.days.close(when)
        except duckdb.Error as problem:
            self.days.problems.append(
                f"{self.days.path(when).name}: {str(problem).splitlines()[0]}"
            )


def _columns(batch: Batch) -> Columns:
    # names as DuckDB sees them; see _INSERT
    columns: Columns = {
        "time": numbers(batch, "time"),
        "number": np.arange(batch.first, batch.first + batch.rows, dtype=np.int64),
        "fact": numbers(batch, "fact"),
        "score": numbers(batch, "score"),
        "duration": numbers(batch, "duration"),
        "count": numbers(batch, "count"),
    }
    for name in ("client", "name", "rule", "cnames", "addresses"):
        columns[name] = np.array(lines(batch, name), dtype=object)
    return columns


def _number_facts(day: Day, batch: Batch, codes: Any) -> tuple[dict[Fact, int], Any]:
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
