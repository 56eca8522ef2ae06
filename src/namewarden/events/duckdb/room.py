"""Keeps the day files within their bounds: a size of all together, and what the disk must have free for all else.

For the writer's thread. Counterpart: `writer.py` asks before each batch and tells what it wrote.
"""

import contextlib
import shutil
from collections.abc import Callable
from datetime import date

import duckdb

from namewarden.events.duckdb.days import DayFiles, day_of, schema_of
from namewarden.events.log import Bounds, EventLogError

OF_DISK = 50  # the reserve is at most this part of the disk
STEP = 32  # parts of the size that are written between two looks
THINNED = 0.25  # of a day's rows at a time
MIB = 1 << 20


class Room:
    """`check()` before something is written, `keep()` after it."""

    def __init__(self, days: DayFiles, bounds: Bounds, clock: Callable[[], float]) -> None:
        self._days = days
        self._bounds = bounds
        self._clock = clock
        self._written = bounds.size  # looks at once
        self._is_short = False

    def check(self, octets: int = 0) -> None:
        """EventLogError while the disk has too little room. A checkpoint may need what the write-ahead log takes."""
        try:
            disk = shutil.disk_usage(self._days.folder)
        except OSError as problem:
            raise EventLogError(f"{self._days.folder}: {problem.strerror}") from problem
        reserve = min(self._bounds.reserve, disk.total // OF_DISK)
        reserve += (
            reserve // 4 if self._is_short else 0
        )  # a quarter more ends it: not well and full in turns
        self._is_short = disk.free < reserve + octets + self._days.logs()
        if self._is_short:
            raise EventLogError(
                f"the disk is full: {disk.free // MIB} MiB are free, and events leave {reserve // MIB} MiB"
                " for all else (events.reserve)"
            )

    def keep(self, octets: int) -> None:
        """The oldest days go first; where today alone is too large, its oldest hours."""
        self._written += octets
        if not self._bounds.size or self._written < self._bounds.size // STEP:
            return
        self._written = 0
        sizes, today = self._days.sizes(), day_of(self._clock())
        for day in sorted(sizes):
            if sum(sizes.values()) <= self._bounds.size or day >= today:
                break
            self._days.remove(day)
            del sizes[day]
        if sum(sizes.values()) > self._bounds.size:
            self._thin(max(sizes, key=lambda day: sizes[day]))

    def _thin(self, day: date) -> None:
        aim = self._bounds.size * (STEP - 2) // STEP
        for _ in range(16):
            if sum(self._days.sizes().values()) <= aim:
                return
            cursor, name = self._days.cursor(), schema_of(day)
            with contextlib.closing(cursor), contextlib.suppress(duckdb.Error):
                self._days.open(day)
                cursor.execute(
                    f"DELETE FROM {name}.rows WHERE time <= (SELECT quantile_disc(time, {THINNED}) FROM {name}.rows)"
                )
                cursor.execute(f"CHECKPOINT {name}")
