"""Reads what can be read of a damaged day file, in a process of its own: damaged data may end who reads it.

`python -m namewarden.events.duckdb.rescue COPY TARGET START` writes a new day file TARGET of the day that begins at
START; COPY, which is changed on the way, may have a write-ahead log beside it. Counterpart: `damage.py`.
"""

import re
import sys
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from namewarden.events.batch import FACT
from namewarden.events.duckdb.damage import Rescued, log_of
from namewarden.events.duckdb.days import COLUMNS, ROW_GROUP, TABLES, quote

BLOCKS = 1000  # read in spite of their checksum, at most
LEAST = 2048  # rows that are read together: DuckDB's vector
MEMORY = "256MB"
LOST = "lost"  # the run in facts that could not be read
# DuckDB says which checksum it computed, and for what; that of a log's entry stands before it.
_BLOCK = re.compile(r"computed checksum (\d+) does not match .* in block at location (\d+)")
_ENTRY = re.compile(r"entry at byte position (\d+) computed checksum (\d+) does not match")


class Patient:
    """The copy, attached as `old` for reading, and the new file as `new`."""

    def __init__(self, copy: Path, target: Path) -> None:
        self.forgiven: set[tuple[Path, int]] = set()  # places of checksums
        self.has_log = True
        self._copy = copy
        self._log = log_of(copy)
        self._target = target
        self._database = duckdb.connect()

    def open(self) -> None:
        """duckdb.Error when nothing of it can be read."""
        while True:
            try:
                return self._connect()
            except duckdb.Error as problem:
                if self._forgive(problem):
                    continue
                if not self._log.exists():
                    raise
                self._log.unlink()
                self.has_log = False

    def close(self) -> None:
        self._database.close()

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """duckdb.Error when it cannot be read."""
        while True:
            try:
                return self._database.execute(statement).fetchall()
            except duckdb.Error as problem:
                is_forgiven = self._forgive(problem)
                self.open()
                if not is_forgiven:
                    raise

    def _connect(self) -> None:
        self._database.close()
        self._database = duckdb.connect()
        for setting in ("threads=1", f"memory_limit='{MEMORY}'", "temp_directory=''"):
            self._database.execute(f"SET {setting}")
        new = f"{quote(str(self._target))} AS new (ROW_GROUP_SIZE {ROW_GROUP})"
        self._database.execute(f"ATTACH {new}")
        self._database.execute(f"ATTACH {quote(str(self._copy))} AS old (READ_ONLY)")
        self._database.execute("SELECT fact FROM old.facts LIMIT 0")  # one of ours

    def _forgive(self, problem: duckdb.Error) -> bool:
        """Make a checksum fit what stands there: one wrong octet costs one value, not 256 KiB of them."""
        if found := _BLOCK.search(str(problem)):
            checksum, place, path = int(found[1]), int(found[2]), self._copy
        elif found := _ENTRY.search(str(problem)):
            checksum, place, path = int(found[2]), int(found[1]) - 8, self._log
        if not found or len(self.forgiven) >= BLOCKS or (path, place) in self.forgiven:
            return False
        self._database.close()
        with path.open("r+b") as file:
            file.seek(place)
            file.write(checksum.to_bytes(8, "little"))
        self.forgiven.add((path, place))
        return True


def rescue(copy: Path, target: Path, start: float) -> Rescued:
    """All of `copy` that can be read, in the new file `target`; rows of another day are none of this one."""
    patient = Patient(copy, target)
    try:
        patient.open()
        for statement in TABLES:
            patient.run(statement.format(day="new"))
        (total,) = patient.run("SELECT count(*) FROM old.rows")[0]
        tables = [_take(patient, name) for name in ("facts", "batches", "gaps")]
        _take_rows(patient, 0, _end(patient), start)
        _make_up_facts(patient)
        (rows,) = patient.run("SELECT count(*) FROM new.rows")[0]
    except duckdb.Error as problem:
        return Rescued(problem=str(problem).splitlines()[0])
    finally:
        patient.close()
    return Rescued(rows, total - rows, len(patient.forgiven), patient.has_log, all(tables))


def _end(patient: Patient) -> int:
    (last,) = patient.run("SELECT max(rowid) FROM old.rows")[0]
    return 0 if last is None else int(last) + 1


def _take(patient: Patient, name: str) -> bool:
    """A small table, as a whole."""
    one = {"facts": "DISTINCT ON (fact) ", "batches": "", "gaps": ""}[name]
    try:
        columns = patient.run(
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'new' AND table_name = '{name}'"
            " ORDER BY column_index"
        )
        given = ", ".join(_text(f'"{c}"') if kind == "VARCHAR" else f'"{c}"' for c, kind in columns)
        patient.run(f"INSERT INTO new.{name} SELECT {one}{given} FROM old.{name}")
    except duckdb.Error:
        return False
    return True


def _text(column: str) -> str:
    """What is no text any more is a question mark."""
    return f"coalesce(try(decode(encode({column}))), '?')"


def _take_rows(patient: Patient, first: int, end: int, start: float) -> None:
    """Group by group; one that cannot be read in halves."""
    for begin in range(first, end, size := min(ROW_GROUP, max(end - first, 1))):
        stop = min(begin + size, end)
        try:
            patient.run(_insert(begin, stop, start))
        except duckdb.Error:
            if stop - begin > LEAST:
                middle = (begin + stop) // 2
                _take_rows(patient, begin, middle, start)
                _take_rows(patient, middle, stop, start)


def _insert(begin: int, stop: int, start: float) -> str:
    given = ", ".join(_text(name) if kind == "VARCHAR" else name for name, kind in COLUMNS.items())
    return (
        f"INSERT INTO new.rows SELECT {given} FROM old.rows WHERE rowid >= {begin} AND rowid < {stop}"
        f" AND time >= {start} AND time < {start + 86_400} AND count > 0"
    )


def _make_up_facts(patient: Patient) -> None:
    """Who asked for what remains, though nobody knows any more what was done."""
    nothing = ", ".join("''" for _ in FACT)
    patient.run(
        f"INSERT INTO new.facts SELECT DISTINCT fact, '{LOST}', {nothing} FROM new.rows"
        " WHERE fact NOT IN (SELECT fact FROM new.facts)"
    )


if __name__ == "__main__":
    done = rescue(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
    sys.stdout.buffer.write(msgspec.json.encode(done))
