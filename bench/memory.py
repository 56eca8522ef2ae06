"""What a server keeps in memory, all its processes together, read from the kernel's own account.

PSS shares out what several processes map; `private` is what would be freed if they ended and belongs to
no file: the honest cost of a list beside the file it is mapped from.
"""

import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bench import processes, product, testbed
from bench.names import NameFiles
from bench.processes import Process
from bench.server import Server

FIELD = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class ServerMemory:
    """Bytes."""

    pss: int
    private: int  # anonymous and shared memory, swapped pages too
    mapped: int  # of files mapped: programs, libraries, the snapshot
    processes: int


@dataclass(frozen=True)
class Starts:
    """The median of some starts of the product, with the million-name list and without."""

    entries: int
    with_list: ServerMemory
    without_list: ServerMemory
    snapshot: int  # bytes of the snapshot file
    text: int  # of these, the names themselves
    cold: float  # seconds to the first blocked answer, the list compiled
    warm: float  # seconds to the first blocked answer, the snapshot found compiled
    bare: float  # seconds to the first answer without a list

    @property
    def index(self) -> int:
        return self.snapshot - self.text

    @property
    def per_entry(self) -> float:
        """Index and private memory of all processes together, bytes an entry."""
        return (self.index + self.with_list.private - self.without_list.private) / self.entries

    @property
    def load(self) -> float:
        return self.cold - self.bare


def of(process: Process) -> ServerMemory:
    accounts = [account for pid in process.pids() if (account := _account(pid))]
    return ServerMemory(
        pss=sum(a["Pss"] for a in accounts) * 1024,
        private=sum(a["Pss_Anon"] + a["Pss_Shmem"] + a["SwapPss"] for a in accounts) * 1024,
        mapped=sum(a["Pss_File"] for a in accounts) * 1024,
        processes=len(accounts),
    )


def pss_of(pid: int) -> int:
    """Bytes; 0 when the process is gone."""
    return _account(pid).get("Pss", 0) * 1024


def read_account(text: str) -> dict[str, int]:
    """The fields of smaps_rollup, kB."""
    return {name: int(amount) for name, amount in FIELD.findall(text)}


def _account(pid: int) -> dict[str, int]:
    try:
        return read_account(Path(f"/proc/{pid}/smaps_rollup").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return {}


def measure_starts(
    folder: Path, names: NameFiles, world: int, times: int, step: Callable[[], None]
) -> Starts:
    """Start the product `times` times in each of three ways: empty with the list, again, and without a list."""
    cold, warm, bare = [], [], []
    for number in range(times):
        place = folder / f"start-{number}"
        cold.append(_one_start(product.NAMEWARDEN, place, names, world))
        step()
        warm.append(_one_start(product.NAMEWARDEN, place, names, world))
        step()
        bare.append(_one_start(product.WITHOUT_LIST, folder / f"bare-{number}", names, world))
        step()
    return Starts(
        entries=names.count,
        with_list=_median(memory for memory, _ in cold + warm),
        without_list=_median(memory for memory, _ in bare),
        snapshot=product.snapshot_size(folder / "start-0"),
        text=names.listed.stat().st_size,
        cold=statistics.median(ready for _, ready in cold),
        warm=statistics.median(ready for _, ready in warm),
        bare=statistics.median(ready for _, ready in bare),
    )


def _one_start(
    server: Server, folder: Path, names: NameFiles, world: int
) -> tuple[ServerMemory, float]:
    running = testbed.bring_up(server, folder, names, world)
    try:
        processes.wait_until_idle(running.process)
        return of(running.process), running.ready
    finally:
        running.process.stop()


def _median(memories: Iterable[ServerMemory]) -> ServerMemory:
    ordered = sorted(memories, key=lambda memory: memory.private)
    return ordered[len(ordered) // 2]
