"""Jobs: work that is too long or too large for the hub, each in a process of its own whose end is always told.

A job writes JSON to standard output, a line each: `{"progress": …}` as often as it likes, anything else is its result.
It has a folder with its record (`job.json`, replaced whole) and the end of its standard error; who reads the folder
knows all. A hub that is killed leaves its jobs without a reader: they end at their next line.
"""

import asyncio
import os
import resource
import secrets
import shutil
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import msgspec
import structlog
from msgspec import Struct

KEPT = 50  # folders of jobs that ended
LINE = 16 * 1024 * 1024  # octets of a line; the report of many lists is one
ERRORS = 64 * 1024  # octets of standard error that are kept
GRACE = 5.0  # seconds between asking a job to end and killing it
STEP = 1.0  # seconds between writes of the record while progress comes
log = structlog.get_logger("jobs")
_NO_MEMORY = ("MemoryError", "bad_alloc", "Unable to allocate", "Cannot allocate memory")

State = Literal[
    "running", "done", "failed", "killed", "out of memory", "timed out", "cancelled", "lost"
]


class Job(Struct, frozen=True):
    """What to do: arguments of Python, and what it may take."""

    name: str
    command: tuple[str, ...]
    memory: int = (
        0  # octets of its data; files that it maps to read are not among them; 0 = no bound
    )
    seconds: float = 3600.0
    nice: int = 0
    is_idle: bool = False  # only where nobody else wants to run: whoever wakes up runs at once


class Record(Struct, frozen=True):
    """What became of a job."""

    id: str
    name: str
    command: tuple[str, ...]
    state: State
    began: float  # epoch seconds
    ended: float = 0.0
    progress: Any = None  # the last that it said
    result: Any = None
    problem: str = ""  # in words, "" where it is done


class Jobs:
    """`start()`, then `run` a job to its end, `cancel` it, read the `records`."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._running: dict[str, _Run] = {}

    def start(self) -> None:
        """Jobs of a hub before this one are told as lost: their processes are not ours to end."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for record in self.records():
            if record.state == "running":
                problem = "the hub ended while it ran"
                self._keep(msgspec.structs.replace(record, state="lost", problem=problem))

    async def run(self, job: Job, progress: Callable[[Any], None] = lambda said: None) -> Record:
        """Until it ends, however it does. Cancelled itself, it ends the job. OSError: it cannot be begun."""
        record = self._begun(job)
        run = self._running[record.id] = _Run(job)
        keep = _Throttled(lambda said: self._keep(msgspec.structs.replace(record, progress=said)))

        def told(said: Any) -> None:
            progress(said)
            keep(said)

        state: State = "failed"
        try:
            state = await run.end(told)
        except asyncio.CancelledError:
            state = "cancelled"
            raise
        except OSError as error:
            run.fault(str(error))
            raise
        finally:
            del self._running[record.id]
            record = self._ended(record, run, state)
        return record

    def _begun(self, job: Job) -> Record:
        id = f"{int(self._clock() * 1000):014d}-{secrets.token_hex(3)}"
        record = Record(id, job.name, job.command, "running", self._clock())
        (self._folder / id).mkdir(mode=0o700)
        self._keep(record)
        return record

    def _ended(self, record: Record, run: "_Run", state: State) -> Record:
        ended = msgspec.structs.replace(
            record, state=state, ended=self._clock(), progress=run.progress, result=run.result,
            problem=run.problem(state),
        )  # fmt: skip
        try:
            (self._folder / record.id / "errors.txt").write_bytes(run.errors())
            self._keep(ended)
            self._trim()
        except (
            OSError
        ) as problem:  # the disk is full: whoever waits for the job hears its end all the same
            log.error("the end of a job is not written", job=record.id, problem=str(problem))
        return ended

    def cancel(self, id: str) -> bool:
        """Ask it to end; False when no such job runs."""
        run = self._running.get(id)
        if run is not None:
            run.cancelled.set()
        return run is not None

    def records(self) -> list[Record]:
        """All that are kept, the newest first."""
        found = []
        for path in sorted(self._folder.glob("*/job.json"), reverse=True):
            with suppress(OSError, msgspec.MsgspecError):  # removed meanwhile, or not ours
                found.append(msgspec.json.decode(path.read_bytes(), type=Record))
        return found

    def _keep(self, record: Record) -> None:
        folder = self._folder / record.id
        part = folder / "job.new"
        part.write_bytes(msgspec.json.encode(record))
        part.replace(folder / "job.json")

    def _trim(self) -> None:
        ended = [record for record in self.records() if record.state != "running"]
        for record in ended[KEPT:]:
            shutil.rmtree(self._folder / record.id, ignore_errors=True)


class _Throttled:
    """Hands on what it is given, but no more often than every STEP seconds."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._last = 0.0

    def __call__(self, said: Any) -> None:
        now = time.monotonic()
        if now - self._last >= STEP:
            self._last = now
            with suppress(OSError):  # the disk is full: the end will say so
                self._write(said)


class _Run:
    """One job's process, from its begin to its end."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.cancelled = asyncio.Event()
        self.progress: Any = None
        self.result: Any = None
        self._code = 0  # as Popen's: below 0, the signal
        self._errors: deque[bytes] = deque()
        self._length = 0

    async def end(self, told: Callable[[Any], None]) -> State:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.job.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # what it starts ends with it
            limit=LINE,
        )
        assert child.stdout is not None and child.stderr is not None
        _bound(child.pid, self.job)
        async with asyncio.TaskGroup() as group:
            reading = {
                group.create_task(self._read(child.stdout, told)),
                group.create_task(self._read_errors(child.stderr)),
            }
            ended = group.create_task(child.wait())
            cancelled = group.create_task(self.cancelled.wait())
            try:
                await asyncio.wait(
                    {ended, cancelled}, timeout=self.job.seconds, return_when="FIRST_COMPLETED"
                )
                if was_stopped := not ended.done():
                    await _stop(child)
            finally:
                _kill(child.pid)
                self._code = await child.wait()
                await asyncio.wait(reading, timeout=GRACE)
                for task in (*reading, ended, cancelled):
                    task.cancel()
        if was_stopped:
            return "cancelled" if self.cancelled.is_set() else "timed out"
        return self._by_code()

    def _by_code(self) -> State:
        if self._code == 0:
            return "done"
        if any(word in self._last_line() for word in _NO_MEMORY):
            return "out of memory"
        return "killed" if self._code < 0 else "failed"

    def problem(self, state: State) -> str:
        """The end in words."""
        job = self.job
        return {
            "failed": self._last_line() or f"ended with {self._code}",
            "killed": f"killed by {_signal(self._code)}, which the system does too when memory is short",
            "out of memory": f"needs more memory than it may have ({job.memory >> 20} MiB)",
            "timed out": f"not done within {job.seconds:g} s",
            "cancelled": "cancelled",
        }.get(state, "")

    async def _read(self, stream: asyncio.StreamReader, told: Callable[[Any], None]) -> None:
        while not stream.at_eof():
            try:
                said = msgspec.json.decode(await stream.readline())
            except (msgspec.MsgspecError, ValueError):
                continue  # a library that prints, or a line without end
            if isinstance(said, dict) and "progress" in said:
                self.progress = said["progress"]
                told(self.progress)
            else:
                self.result = said

    async def _read_errors(self, stream: asyncio.StreamReader) -> None:
        while octets := await stream.read(ERRORS):
            self._errors.append(octets)
            self._length += len(octets)
            while self._length - len(self._errors[0]) >= ERRORS:
                self._length -= len(self._errors.popleft())

    def fault(self, text: str) -> None:
        """What kept it from beginning."""
        self._errors.append(text.encode())

    def errors(self) -> bytes:
        return b"".join(self._errors)[-ERRORS:]

    def _last_line(self) -> str:
        lines = self.errors().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _bound(pid: int, job: Job) -> None:
    """The child is ours and not yet waited for, so the number is its own. It may have ended already."""
    with suppress(ProcessLookupError):
        if job.memory and hasattr(resource, "prlimit"):  # Linux
            resource.prlimit(pid, resource.RLIMIT_DATA, (job.memory, job.memory))
        if job.nice > os.getpriority(os.PRIO_PROCESS, 0):  # only root may raise a priority again
            os.setpriority(os.PRIO_PROCESS, pid, job.nice)
    with suppress(OSError):  # a sandbox may forbid it: then it is nice, no more
        if job.is_idle and hasattr(os, "SCHED_IDLE"):  # Linux
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


async def _stop(child: asyncio.subprocess.Process) -> None:
    """Asked to end, and killed where it does not."""
    with suppress(ProcessLookupError):
        child.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(child.wait(), GRACE)


def _kill(group: int) -> None:
    """The job and all that it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
