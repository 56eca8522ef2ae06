"""How long after `deny` was sent an unlisted name is answered anew, and what is written meanwhile."""

import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bench import names as files
from bench import processes, product, testbed, workloads
from bench.names import NameFiles, Sizes
from bench.processes import BenchError, Process

ENTRIES = 2_000_000
SIZES = Sizes(cold=500_000, fresh=1000, new=0)
LIMIT = 10.0  # seconds until an answer must have changed


@dataclass(frozen=True)
class Decisions:
    """Of some names in turn, each resolved before."""

    entries: int
    median: float  # seconds from sending the decision to the first answer that heeds it
    slowest: float
    written: int  # octets by all processes while one decision came into force, the most


def many_names() -> NameFiles:
    """The two million, written unless they are there."""
    return files.write(files.folder(ENTRIES, SIZES.cold), ENTRIES, SIZES)


def measure(folder: Path, names: NameFiles, world: int, times: int) -> Decisions:
    running = testbed.bring_up(product.NAMEWARDEN, folder, names, world)
    try:
        processes.wait_until_idle(running.process)
        found = [_one(running, name) for name in islice(_resolved(running, names), times)]
    finally:
        running.process.stop()
    took = [seconds for seconds, _ in found]
    return Decisions(
        names.count, statistics.median(took), max(took), max(octets for _, octets in found)
    )


def written(process: Process) -> int:
    """Octets that its processes have written, to files or sockets, or put into the page cache."""
    return sum(_written(pid) for pid in process.pids())


def _written(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return max(int(fields["wchar"]), int(fields["write_bytes"]))


def _one(running: testbed.RunningServer, name: str) -> tuple[float, int]:
    """Denied, and asked until it is blocked."""
    before = written(running.process)
    decider = threading.Thread(target=product.deny, args=(running.place, name), daemon=True)
    begun = time.monotonic()
    decider.start()
    while not testbed.is_blocked(testbed.ask(running.port, name), running.server.blocked):
        if time.monotonic() - begun > LIMIT:
            raise BenchError(f"{name} is not blocked {LIMIT:.0f} s after it was denied")
        time.sleep(0.001)
    took = time.monotonic() - begun
    decider.join()
    processes.wait_until_idle(running.process)
    return took, written(running.process) - before


def _resolved(running: testbed.RunningServer, names: NameFiles) -> Iterator[str]:
    """Unlisted names that no model blocks either; asked now, so they are in every cache."""
    for name in workloads.fresh_names(names):
        if testbed.is_resolved(testbed.ask(running.port, name)):
            yield name
