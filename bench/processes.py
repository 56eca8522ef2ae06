"""Real processes pinned to one core: started, awaited, watched and ended with all their children."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
HOST = "127.0.0.1"
IDLE_SLOT, IDLE_SHARE = 0.5, 0.05  # seconds, and how much of them a process that is idle may use
BUFFER = 4 * 1024 * 1024  # receive buffers: the default drops 35 of a burst of 200


class BenchError(Exception):
    """A measurement cannot be made; the text says why."""


@dataclass(frozen=True)
class Process:
    """A server of ours, the leader of its own session: whatever it starts is found by that."""

    name: str
    handle: subprocess.Popen[bytes]
    log: Path

    def pids(self) -> list[int]:
        return [
            pid for pid in _all_pids() if _session(pid) == self.handle.pid and not _is_zombie(pid)
        ]

    def cpu_seconds(self) -> float:
        return sum(_cpu_seconds(pid) for pid in self.pids())

    def check(self) -> None:
        if self.handle.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise BenchError(f"{self.name} ended with {self.handle.returncode}:\n{tail}")

    def check_pinned(self, core: int) -> None:
        """Every thread of every process, not only the one that was started."""
        for pid in self.pids():
            for task in Path(f"/proc/{pid}/task").iterdir():
                if os.sched_getaffinity(int(task.name)) != {core}:
                    raise BenchError(f"{self.name}: process {pid} is not on core {core} alone")

    def stop(self) -> None:
        """Ask, wait, then end the whole session."""
        if self.handle.poll() is None:
            self.handle.terminate()
            try:
                self.handle.wait(20)
            except subprocess.TimeoutExpired:
                self.handle.kill()
        self.handle.wait(10)
        while left := self.pids():
            for pid in left:
                _kill(pid)
            time.sleep(0.01)


def start(
    name: str,
    command: Sequence[str],
    folder: Path,
    core: int | None = None,
) -> Process:
    """Start `command`, on `core` alone where one is given; its output goes to `<folder>/<name>.log`."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        handle = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(name, handle, log)


def free_port() -> int:
    """A port that is free for UDP and TCP on loopback at this moment."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
        ):
            udp.bind((HOST, 0))
            port: int = udp.getsockname()[1]
            try:
                tcp.bind((HOST, port))
            except OSError:
                continue
            return port


def wait_until_idle(process: Process, quiet: float = 0.5, limit: float = 120.0) -> float:
    """Wait until the process and its children use next to no time for `quiet` seconds; when that began."""
    begun = since = time.monotonic()
    before = process.cpu_seconds()
    while time.monotonic() - begun < limit:
        time.sleep(IDLE_SLOT)
        process.check()
        after = process.cpu_seconds()
        if after - before > IDLE_SHARE * IDLE_SLOT:
            since = time.monotonic()
        elif time.monotonic() - since >= quiet:
            return since - begun
        before = after
    raise BenchError(f"{process.name} is not idle {limit:.0f} s after the load ended")


def first_line(*command: str) -> str:
    """Where most programs put their version."""
    return output_of(*command).partition("\n")[0]


def output_of(*command: str) -> str:
    """What a program says, on either stream."""
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    return (said.stdout + said.stderr).strip()


def _all_pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def children(pids: Iterable[int]) -> set[int]:
    """Of these processes, in whatever session they are."""
    among = {str(pid) for pid in pids}
    return {pid for pid in _all_pids() if (fields := _stat(pid)) and fields[1] in among}


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return -1


def _cpu_seconds(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _is_zombie(pid: int) -> bool:
    return _stat(pid)[:1] in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
