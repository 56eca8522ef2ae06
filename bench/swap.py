"""What a client sees while two million names are swapped for others, and what the processes take meanwhile."""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, cycle, islice
from pathlib import Path

from bench import latency, memory, processes, product, testbed
from bench.names import NameFiles
from bench.processes import BenchError
from bench.testbed import RunningServer

RATE = 1000.0  # queries a second, of listed, cached and own names in turn
BEFORE, LIMIT = 2.0, 30.0  # seconds asked before the list changes, and until it must be in force
AFTER = 3.0  # seconds asked after it is
STEP = 0.02  # seconds between looks at the memory
ADDED = "swapped-in-{}.example.net"


@dataclass(frozen=True)
class Swaps:
    """Some swaps in turn, one list of two changed. Seconds and octets."""

    entries: int
    latest: tuple[float, ...]  # the latest answer of each swap; infinite where one never came
    calm: float  # the latest answer of as many queries while nothing changes
    compiled: float  # from the change of the file until it is in force, median
    before: int  # PSS of all processes of the product
    peak: int  # the most that they, the same ones, had while one swap was made
    job: int  # PSS of the compiler, the most


def measure(folder: Path, names: NameFiles, world: int, times: int) -> Swaps:
    changing = folder / "changing.txt"
    folder.mkdir(parents=True, exist_ok=True)
    _change(changing, 0)
    running = testbed.bring_up(product.with_second_list(changing), folder, names, world)
    try:
        asked = _asked(names)
        _ask(running, asked, BEFORE + AFTER)  # now all are known
        processes.wait_until_idle(running.process)
        calm = max(_ask(running, asked, BEFORE + AFTER) for _ in range(times))
        swaps = [_one(running, changing, asked, number) for number in range(1, times + 1)]
        processes.wait_until_idle(running.process)
        kept = _memory(running, lambda: _swapped(running, changing, times + 1))
    finally:
        running.process.stop()
    latest, took = zip(*swaps, strict=True)
    return Swaps(names.count, latest, calm, statistics.median(took), *kept)


def _asked(names: NameFiles) -> list[str]:
    listed, cached = (
        [line.split()[0] for line in path.read_text().splitlines()[:2000]]
        for path in (names.blocked_warm, names.cached_warm)
    )
    return list(chain.from_iterable(zip(listed, cached, cycle((product.OWN,)))))


def _ask(running: RunningServer, asked: Sequence[str], seconds: float) -> float:
    some = list(islice(cycle(asked), int(seconds * RATE)))
    return latency.measure(running.port, some, RATE).quantile(1.0)


def _one(
    running: RunningServer, path: Path, asked: Sequence[str], number: int
) -> tuple[float, float]:
    """(latest answer, seconds until in force)."""
    took: list[float] = []

    def change() -> None:
        time.sleep(BEFORE)
        took.append(_swapped(running, path, number))

    changer = threading.Thread(target=change, daemon=True)
    changer.start()
    latest = 0.0
    while changer.is_alive():
        latest = max(latest, _ask(running, asked, AFTER))
    changer.join()
    return max(latest, _ask(running, asked, AFTER)), took[0]


def _swapped(running: RunningServer, path: Path, number: int) -> float:
    """Change the list and wait until that is in force; seconds."""
    link = running.place.folder / "var" / "snapshots" / "current"
    old, begun = link.readlink(), time.monotonic()
    _change(path, number)
    while link.readlink() == old:
        if time.monotonic() - begun > LIMIT:
            raise BenchError(f"the changed list is not in force after {LIMIT:.0f} s")
        time.sleep(STEP)
    took = time.monotonic() - begun
    time.sleep(AFTER / 3)
    if not testbed.is_blocked(
        testbed.ask(running.port, ADDED.format(number)), running.server.blocked
    ):
        raise BenchError("the new snapshot is not in force")
    return took


def _change(path: Path, number: int) -> None:
    part = path.with_suffix(".new")
    part.write_text("".join(f"{ADDED.format(at)}\n" for at in range(number, number + 1000)))
    part.replace(path)


def _memory(running: RunningServer, swap: Callable[[], object]) -> tuple[int, int, int]:
    known = set(running.process.pids())
    before = _pss(known)
    swapper = threading.Thread(target=swap, daemon=True)
    swapper.start()
    peak = job = 0
    while swapper.is_alive():
        peak = max(peak, _pss(known))
        job = max(job, _pss(processes.children(known) - known))
        time.sleep(STEP)
    return before, peak, job


def _pss(pids: set[int]) -> int:
    return sum(memory.pss_of(pid) for pid in pids)
