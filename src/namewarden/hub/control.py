"""Control data: few, precious, versioned documents with compare-and-set, in SQLite, written by the hub alone.

A version is a number that rises over the whole store, so that a document that was removed and made again never
looks unchanged (what Elasticsearch gives by `if_seq_no`; that store can take this one's place).
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from namewarden.hub.reserve import Reserve

Kind = Literal["user", "token", "session", "group", "list", "rule", "decision", "audit"]
ABSENT = 0  # as expected version: the document must not be there
SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS document(
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, changed REAL NOT NULL,
    expires REAL NOT NULL DEFAULT 0, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS document_expires ON document(expires) WHERE expires > 0;
CREATE TABLE IF NOT EXISTS state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO state VALUES ('version', 0), ('schema', 1);
"""


class ControlError(Exception):
    """The store of control data cannot be used; the reason is for people."""


class Conflict(Exception):
    """Somebody else changed it meanwhile, or it is there already."""

    def __init__(self, kind: str, id: str, expected: int, found: int) -> None:
        what = f"{kind} {id!r}"
        if expected == ABSENT:
            text = f"{what} is there already (version {found})"
        elif found == ABSENT:
            text = f"{what} is not there any more (expected version {expected})"
        else:
            text = f"{what} was changed meanwhile: it has version {found}, not {expected}; read it again"
        super().__init__(text)
        self.found = found


class Document(Struct, frozen=True):
    kind: str
    id: str
    version: int
    changed: float  # epoch seconds
    expires: float  # epoch seconds; 0 = never
    body: dict[str, Any]


class Control:
    """`start()`, then from any thread, then `stop()`. Each change is one transaction, on disk when it returns.

    A disk that others filled leaves it the `reserve`.
    """

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, reserve: Reserve | None = None
    ) -> None:
        self.reserve = reserve or Reserve(path.with_name("reserve"))
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self.revision = 0  # rises with every change of what a snapshot is made of
        self._ruled: dict[tuple[str, str], Document | None] = {}

    def start(self) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.reserve.give()
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=FULL")
            database.executescript(_TABLES)
            (schema,) = database.execute("SELECT value FROM state WHERE name='schema'").fetchone()
        except (OSError, sqlite3.Error) as problem:
            raise ControlError(f"{self._path}: {problem}") from problem
        if schema != SCHEMA:
            raise ControlError(
                f"{self._path}: made by another version (schema {schema}, not {SCHEMA})"
            )
        self._database = database
        self.reserve.keep()

    def stop(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def get(self, kind: Kind, id: str) -> Document | None:
        """The document, unless it is not there or has expired."""
        rows = self._read("kind = ? AND id = ?", [kind, id])
        return rows[0] if rows else None

    def find(self, kind: Kind) -> list[Document]:
        """All that are in force, by id."""
        return self._read("kind = ? ORDER BY id", [kind])

    def latest(self, kind: Kind, limit: int) -> list[Document]:
        """The last changed first."""
        return self._read("kind = ? ORDER BY version DESC LIMIT ?", [kind, limit])

    def put(
        self,
        kind: Kind,
        id: str,
        body: dict[str, Any],
        expected: int | None = None,
        expires: float = 0.0,
    ) -> Document:
        """Write it when its version is `expected` (ABSENT: when it is not there; None: in any case)."""
        with self._lock:
            with self._transaction() as database:
                self._expect(database, kind, id, expected)
                document = Document(kind, id, self._next(database), self._clock(), expires, body)
                values = (kind, id, document.version, document.changed, expires, json.dumps(body))
                database.execute(
                    "INSERT OR REPLACE INTO document VALUES (?, ?, ?, ?, ?, ?)", values
                )
            self._changed(kind, id, document)
        return document

    def remove(self, kind: Kind, id: str, expected: int | None = None) -> bool:
        """False when it was not there."""
        with self._lock:
            with self._transaction() as database:
                self._expect(database, kind, id, expected)
                where = "DELETE FROM document WHERE kind = ? AND id = ?"
                gone = database.execute(where, (kind, id)).rowcount > 0
            self._changed(kind, id, None)
        return gone

    def expire(self, kind: Kind | None = None) -> int:
        """Remove what has expired; how many."""
        which = ("AND kind = ?", [kind]) if kind else ("", [])
        with self._lock, self._transaction() as database:
            gone = database.execute(
                f"DELETE FROM document WHERE expires > 0 AND expires <= ? {which[0]}",
                [self._clock(), *which[1]],
            ).rowcount
        return int(gone)

    def trim(self, kind: Kind, keep: int) -> None:
        """Keep only the last changed ones."""
        with self._lock, self._transaction() as database:
            database.execute(
                "DELETE FROM document WHERE kind = ? AND version <= coalesce((SELECT version FROM document"
                " WHERE kind = ? ORDER BY version DESC LIMIT 1 OFFSET ?), -1)",
                (kind, kind, keep),
            )

    def next_expiry(self) -> float:
        """Epoch seconds at which the next group, list, rule, decision or token ends; 0 = none does."""
        with self._lock:
            row = self._execute(
                "SELECT min(expires) FROM document WHERE expires > ? AND kind NOT IN ('session', 'audit')",
                [self._clock()],
            ).fetchone()
        return float(row[0] or 0.0)

    @property
    def has_ruled(self) -> bool:
        """Whether `take_ruled` would give something."""
        return bool(self._ruled)

    def take_ruled(self) -> dict[tuple[str, str], Document | None]:
        """Rules and decisions changed since the last call, by kind and id; None = removed."""
        with self._lock:
            taken, self._ruled = self._ruled, {}
        return taken

    def _changed(self, kind: str, id: str, document: Document | None) -> None:
        if kind in ("rule", "decision"):
            self._ruled[kind, id] = document
        elif kind in ("group", "list", "token"):
            self.revision += 1

    def _transaction(self) -> "_Transaction":
        self.reserve.give()
        return _Transaction(self._open())

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            raise ControlError("the store of control data is not open")
        return self._database

    def _execute(self, statement: str, values: list[Any]) -> sqlite3.Cursor:
        try:
            return self._open().execute(statement, values)
        except sqlite3.Error as problem:
            raise ControlError(f"{self._path}: {problem}") from problem

    def _read(self, where: str, values: list[Any]) -> list[Document]:
        alive = "SELECT kind, id, version, changed, expires, body FROM document WHERE (expires = 0 OR expires > ?) AND "
        with self._lock:
            rows = self._execute(alive + where, [self._clock(), *values]).fetchall()
        return [Document(k, i, v, c, e, json.loads(b)) for k, i, v, c, e, b in rows]

    def _expect(
        self, database: sqlite3.Connection, kind: str, id: str, expected: int | None
    ) -> None:
        if expected is None:
            return
        row = database.execute(
            "SELECT version FROM document WHERE kind = ? AND id = ? AND (expires = 0 OR expires > ?)",
            (kind, id, self._clock()),
        ).fetchone()
        found = row[0] if row else ABSENT
        if found != expected:
            raise Conflict(kind, id, expected, found)

    @staticmethod
    def _next(database: sqlite3.Connection) -> int:
        statement = "UPDATE state SET value = value + 1 WHERE name = 'version' RETURNING value"
        return int(database.execute(statement).fetchone()[0])


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK; SQLite's errors become ControlError."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as problem:
            raise ControlError(str(problem)) from problem
        return self._database

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        try:
            self._database.execute("COMMIT" if problem is None else "ROLLBACK")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                self._database.rollback()
            raise ControlError(str(error)) from error
        if isinstance(problem, sqlite3.Error):
            raise ControlError(str(problem)) from problem
