"""The event log in DuckDB, one file a day in a folder. Only this package knows SQL, and only the hub opens it.

It keeps what `events/log.py` promises; the parts are `days.py` (files), `writer.py` with `room.py`
(bounds), `search.py`, `statistics.py`, `damage.py` and `rescue.py`.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from namewarden.events.batch import Batch
from namewarden.events.duckdb import search, statistics
from namewarden.events.duckdb.days import DayFiles
from namewarden.events.duckdb.room import Room
from namewarden.events.duckdb.writer import Writer
from namewarden.events.log import Bounds, Filters, Gap, Page, Period, Ranked, Stored, Summary
from namewarden.query import Event

UNBOUND = Bounds()


class DuckDbLog:
    """An EventLog. `retention` is in days, today among them."""

    def __init__(
        self,
        folder: Path,
        retention: int,
        clock: Callable[[], float] = time.time,
        memory: str = "256MB",
        bounds: Bounds = UNBOUND,
    ) -> None:
        self._days = DayFiles(folder, memory)
        self._writer = Writer(self._days, retention, clock, Room(self._days, bounds, clock))

    def start(self) -> None:
        self._days.start()
        self._writer.start()

    def stop(self) -> None:
        self._days.stop()

    def append(self, batch: Batch) -> Stored:
        return self._writer.append(batch)

    def note_gap(self, gap: Gap) -> None:
        self._writer.note_gap(gap)

    def find(self, filters: Filters, limit: int = 100, cursor: str = "") -> Page:
        return search.find(self._days, filters, limit, cursor)

    def export(self, filters: Filters, limit: int | None = None) -> Iterator[list[Event]]:
        search.to_sql(filters)
        return search.find_all(self._days, filters, limit)

    def summary(self, period: Period) -> Summary:
        return statistics.summarize(self._days, period)

    def top(
        self, of: Ranked, period: Period, limit: int = 20, blocked: bool = False
    ) -> list[tuple[str, int]]:
        return statistics.top(self._days, of, period, limit, blocked)

    def gaps(self, period: Period) -> list[Gap]:
        return statistics.gaps(self._days, period)

    def days(self) -> list[date]:
        return self._days.present()

    def problems(self) -> list[str]:
        return list(self._days.problems)
