"""One DuckDB file a day: opened, mended or set aside, and removed when its time is over.

All days are attached to one DuckDB in memory, so that its memory limit holds for all together.
"""

import contextlib
import re
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from namewarden.events.batch import FACT
from namewarden.events.duckdb import damage
from namewarden.events.log import EventLogError

NAME = re.compile(r"^(\d{4}-\d\d-\d\d)\.duckdb$")
OF_DAY = re.compile(r"^(\d{4}-\d\d-\d\d)\.duckdb")
# A day's dictionary of facts in memory: a client that asks for 65,536 types must not fill it.
FACTS_IN_MEMORY = 50_000
# A checkpoint writes the last row group again, and all that is in the log since the one before. With half of DuckDB's
# rows a group and twice its log an event costs a quarter less, and the file is no larger.
ROW_GROUP = 61_440
CHECKPOINT = "32MB"
# `fact` says what a row shares with many others; the number within the run gives the id.
COLUMNS = {
    "time": "DOUBLE",
    "number": "BIGINT",
    "fact": "INTEGER",
    "client": "VARCHAR",
    "name": "VARCHAR",
    "rule": "VARCHAR",
    "score": "DOUBLE",
    "duration": "DOUBLE",
    "cnames": "VARCHAR",
    "addresses": "VARCHAR",
    "count": "UINTEGER",
}
TABLES = (
    "CREATE TABLE IF NOT EXISTS {day}.rows("
    + ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    + ")",
    "CREATE TABLE IF NOT EXISTS {day}.facts(fact INTEGER, run VARCHAR, "
    + ", ".join(f'"{name}" VARCHAR' for name in FACT)
    + ")",
    "CREATE TABLE IF NOT EXISTS {day}.batches(run VARCHAR, sequence BIGINT, rows INTEGER, received DOUBLE)",
    "CREATE TABLE IF NOT EXISTS {day}.gaps(time DOUBLE, run VARCHAR, source VARCHAR, kind VARCHAR,"
    " events BIGINT, queries BIGINT)",
)
AGAIN = 60.0  # seconds until a file that was found in order is examined anew: that reads all of it
PROBLEMS = 100  # kept
FATAL = (duckdb.FatalException, duckdb.InternalException)
NOT_OF_FILES = (duckdb.OutOfMemoryException, duckdb.InterruptException)
Fact = tuple[str, ...]


class DayFile:
    """What the writer knows of one attached file."""

    def __init__(self, name: str, database: duckdb.DuckDBPyConnection) -> None:
        self.name = name
        for statement in TABLES:
            database.execute(statement.format(day=name))
        rows = database.execute(
            f"SELECT * FROM {name}.facts ORDER BY fact DESC LIMIT {FACTS_IN_MEMORY}"
        ).fetchall()
        self.facts: dict[Fact, int] = {tuple(row[1:]): row[0] for row in reversed(rows)}
        self.next_fact = rows[0][0] + 1 if rows else 0
        self.last: dict[str, int] = dict(
            database.execute(
                f"SELECT run, max(sequence) FROM {name}.batches GROUP BY run"
            ).fetchall()
        )

    def learn(self, facts: dict[Fact, int]) -> None:
        """Committed: they may be used from now on."""
        if len(self.facts) + len(facts) > FACTS_IN_MEMORY:
            self.facts.clear()
        self.facts |= facts
        self.next_fact += len(facts)


class DayFiles:
    """The attached files, by day. Every method may be called from any thread."""

    def __init__(self, folder: Path, memory: str) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._memory = memory
        self._open: dict[date, DayFile] = {}
        self._examined: dict[date, float] = {}  # when, monotonic seconds
        self.writing = threading.RLock()  # held while a transaction is open
        self._lock = threading.RLock()
        self._database: duckdb.DuckDBPyConnection | None = None

    def start(self) -> None:
        """May be called again. EventLogError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise EventLogError(f"{self.folder}: {problem.strerror}") from problem
        with self._lock:
            if self._database is None:
                self._database = self._connected()

    def _connected(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect(":memory:")
        for setting in (
            "threads=1",
            f"memory_limit='{self._memory}'",
            f"checkpoint_threshold='{CHECKPOINT}'",
            f"temp_directory={quote(str(self.folder / 'spill'))}",
            "python_enable_replacements=true",  # see `Writer._transaction`; no name in SQL is a person's
            "python_scan_all_frames=false",
            "autoinstall_known_extensions=false",
            "autoload_known_extensions=false",
        ):
            database.execute(f"SET {setting}")
        return database

    def stop(self) -> None:
        with self._lock:
            for day in list(self._open):
                self.close(day)
            if self._database is not None:
                self._database.close()
                self._database = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one thread."""
        if self._database is None:
            raise EventLogError("the event log is not open")
        return self._database.cursor()

    def present(self) -> list[date]:
        """The days that have a file, newest first."""
        found = (NAME.match(path.name) for path in self.folder.iterdir())
        return sorted((date.fromisoformat(match[1]) for match in found if match), reverse=True)

    def sizes(self) -> dict[date, int]:
        """Octets by day, with all that was set aside; less the blocks of open files that are free."""
        found: dict[date, int] = {}
        for path in self.folder.iterdir():
            if match := OF_DAY.match(path.name):
                day = date.fromisoformat(match[1])
                found[day] = found.get(day, 0) + path.stat().st_size
        with contextlib.closing(self.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT database_name, free_blocks * block_size FROM pragma_database_size()"
            )
            free = dict(rows.fetchall())
        return {day: size - free.get(schema_of(day), 0) for day, size in found.items()}

    def logs(self) -> int:
        """Octets of the write-ahead logs of open files."""
        paths = [damage.log_of(self.path(day)) for day in list(self._open)]
        return sum(path.stat().st_size for path in paths if path.exists())

    def path(self, day: date) -> Path:
        return self.folder / f"{day.isoformat()}.duckdb"

    def open(self, day: date) -> DayFile:
        with self._lock:
            if day not in self._open:
                self._open[day] = self._attach(day)
            return self._open[day]

    def close(self, day: date) -> None:
        with self._lock:
            if self._open.pop(day, None) is not None:
                # A checkpoint that fails here loses nothing: the rows stay in the write-ahead log.
                with contextlib.suppress(duckdb.Error):
                    self.cursor().execute(f"DETACH {schema_of(day)}")

    def remove(self, day: date) -> None:
        """With all that was set aside of it."""
        with self._lock:
            self.close(day)
            for path in self.folder.glob(f"{self.path(day).name}*"):
                path.unlink(missing_ok=True)

    def _attach(self, day: date) -> DayFile:
        try:
            return self._try(day)
        except duckdb.Error as problem:
            self._mend(day, problem)
        return self._try(day)

    def _try(self, day: date) -> DayFile:
        name, cursor = schema_of(day), self.cursor()
        path = quote(str(self.path(day)))
        cursor.execute(f"ATTACH {path} AS {name} (ROW_GROUP_SIZE {ROW_GROUP})")
        try:
            return DayFile(name, cursor)
        except duckdb.Error:
            with contextlib.suppress(duckdb.Error):
                cursor.execute(f"DETACH {name}")
            raise

    def mend(self, day: date, problem: duckdb.Error) -> None:
        """After this problem with an open day: it was damaged, and can be used again. EventLogError: it was not."""
        with self.writing, self._lock:
            self.close(day)
            if isinstance(problem, FATAL):  # DuckDB does nothing more until it is made anew
                self.stop()
                self.start()
            self._mend(day, problem)

    def _mend(self, day: date, problem: duckdb.Error) -> None:
        path, now = self.path(day), time.monotonic()
        damage.check_not_held(path)
        reason = EventLogError(f"{path.name}: {str(problem).splitlines()[0]}")
        if isinstance(problem, NOT_OF_FILES) or now - self._examined.get(day, -AGAIN) < AGAIN:
            raise reason from problem
        self._examined[day] = now
        try:
            found, rescued = damage.examine(path, start_of(day))
            if found.is_whole:
                damage.remove(rescued)
                raise reason from problem
            self._note(damage.set_aside(path, found, rescued, time.time()))
        except OSError as error:
            raise reason from error

    def _note(self, problem: str) -> None:
        if len(self.problems) < PROBLEMS:
            self.problems.append(problem)


def quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def schema_of(day: date) -> str:
    return f"day_{day:%Y_%m_%d}"


def day_of(time: float) -> date:
    return datetime.fromtimestamp(time, UTC).date()


def start_of(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def oldest_kept(now: float, retention: int) -> date:
    return day_of(now) - timedelta(days=retention - 1)
