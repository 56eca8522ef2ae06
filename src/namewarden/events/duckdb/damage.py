"""Whether a day file is damaged, told by reading it, never by the words of an error; what can be read of it is read.

Counterpart: `rescue.py` reads, in a process of its own.
"""

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.events.log import EventLogError

PATIENCE = 300.0  # seconds the reading may take
ROOM = 16 << 20  # octets that must be free beside two copies


class Rescued(Struct, frozen=True):
    """What became of a file."""

    rows: int = 0  # read
    lost: int = 0  # not read, as far as anybody knows
    forgiven: int = (
        0  # blocks that were read in spite of their checksum: a value in each may be wrong
    )
    log: bool = True  # whether its write-ahead log, if there was one, was read
    tables: bool = True  # whether all else in it was read
    problem: str = ""  # why nothing was read

    @property
    def is_whole(self) -> bool:
        return self.log and self.tables and not (self.lost or self.forgiven or self.problem)


def log_of(path: Path) -> Path:
    """DuckDB's write-ahead log of a file."""
    return path.with_name(f"{path.name}.wal")


def check_not_held(path: Path) -> None:
    """EventLogError when another process has the file open in DuckDB.

    Only for a file that this process has not: its own lock ends where any handle of it is closed (POSIX).
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:  # who needs it will say so
        return
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        if problem.errno in (errno.EACCES, errno.EAGAIN):
            raise EventLogError(
                f"{path} is in use by another process: is another hub running?"
            ) from problem
    finally:
        os.close(handle)


def examine(path: Path, start: float) -> tuple[Rescued, Path]:
    """What can be read of a file of the day that begins at `start`, and where that is now.

    OSError when the system gives neither its octets nor the room: no fault of the file.
    """
    copy, target = path.with_name(f"{path.name}.copy"), path.with_name(f"{path.name}.rescued")
    log = log_of(path)
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    if shutil.disk_usage(path.parent).free < 2 * size + ROOM:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    remove(target)
    try:
        shutil.copyfile(path, copy)
        if log.exists():
            shutil.copyfile(log, log_of(copy))
        return _rescued(copy, target, start), target
    finally:
        remove(copy)


def _rescued(copy: Path, target: Path, start: float) -> Rescued:
    command = [sys.executable, "-m", "namewarden.events.duckdb.rescue", str(copy), str(target)]
    try:
        done = subprocess.run([*command, str(start)], capture_output=True, timeout=PATIENCE)
        return msgspec.json.decode(done.stdout, type=Rescued)
    except subprocess.TimeoutExpired:
        return Rescued(problem=f"it could not be read in {PATIENCE:.0f} s")
    except msgspec.MsgspecError:
        return Rescued(problem=f"who reads it ends with status {done.returncode}")


def remove(path: Path) -> None:
    for each in (path, log_of(path)):
        each.unlink(missing_ok=True)


def set_aside(path: Path, found: Rescued, rescued: Path, now: float) -> str:
    """Put what was read in the place of the damaged file, which keeps its octets under another name. Says so."""
    aside = path.with_name(f"{path.name}.corrupt-{int(now)}")
    os.link(path, aside)
    if found.problem:
        path.unlink()
    else:
        rescued.replace(path)
    if log_of(path).exists():
        log_of(path).rename(log_of(aside))
    remove(rescued)
    return f"{path.name} is damaged and was set aside as {aside.name}: {_say(found)}"


def _say(found: Rescued) -> str:
    if found.problem:
        return f"nothing of it could be read ({found.problem})"
    said = [f"{found.rows} rows of it were read"]
    if found.lost:
        said.append(f"{found.lost} were not")
    if found.forgiven:
        said.append(f"{found.forgiven} blocks have a wrong checksum, a value in each may be wrong")
    if not found.log:
        said.append("its write-ahead log was not read")
    if not found.tables:
        said.append("what was done with some queries is not known any more")
    return ", ".join(said)
