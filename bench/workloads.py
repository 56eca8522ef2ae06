"""The workloads: what is asked of every server, round by round, the servers taking turns in each round.

blocked-warm   10,000 listed names, over and over
cached-warm    10,000 unlisted names, all in the server's cache
blocked-cold   listed names that never repeat while the server runs, one pass
miss           new unlisted names at a fixed rate, through the server and directly, in turn; before all rounds and after
new-names      how many of them a second the model keeps up with (`new_names.py`)
overload       three times as many (`new_names.py`)
memory         the product started and stopped (`memory.py`)
decision       the product told to block a name (`decision.py`)
swap           one list of two changed, and what a client sees of it (`swap.py`)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from bench import latency, load, processes, product
from bench.latency import Latencies
from bench.load import Load
from bench.names import NameFiles
from bench.processes import BenchError
from bench.testbed import RunningServer

Server = TypeVar("Server")
WARM = ("blocked-warm", "cached-warm")
COLD = "blocked-cold"
MISS = "miss"
NEW_NAMES, OVERLOAD = "new-names", "overload"
MEMORY, DECISION, SWAP = "memory", "decision", "swap"
BESIDE = (*WARM, COLD, MISS, NEW_NAMES, OVERLOAD)  # with all servers running
WORKLOADS = (*BESIDE, MEMORY, DECISION, SWAP)
LOG_QUIET = 3.0  # seconds: longer than a resolver's last events take to be folded, sent and stored
RIGHT_SHARE = 0.999  # of a workload's answers must be what the workload is about …
RIGHT_SHARE_MODEL = 0.9  # … but a model may block some of the names that no list has


@dataclass(frozen=True)
class Kept:
    """What the event log says about one round of ours."""

    answered: int  # queries dnsperf got an answer to, warm-up included
    stored: int  # what the counts of the new events add up to
    dropped: int
    drain: float  # seconds from the last answer until all processes were idle


@dataclass(frozen=True)
class Round:
    workload: str
    server: str
    number: int
    load: Load
    kept: Kept | None = None

    @property
    def is_valid(self) -> bool:
        return self.load.is_valid


@dataclass(frozen=True)
class Miss:
    """One round of cache misses: `server` "" is the upstream asked directly."""

    server: str
    number: int
    median: float
    p99: float
    resolved: float  # share of the names that the upstream's answer came back for
    at_end: bool = False  # after all rounds of the other workloads, else before


def in_turn(servers: Sequence[Server], number: int) -> list[Server]:
    """Each round begins with another server, so that no one always comes first."""
    start = number % len(servers)
    return [*servers[start:], *servers[:start]]


def run_warm(
    workload: str, running: RunningServer, names: NameFiles, number: int, seconds: float
) -> Round:
    queries = names.blocked_warm if workload == "blocked-warm" else names.cached_warm
    before = _log(running)
    warm_up = load.run(running.port, queries)
    measured = load.run(running.port, queries, seconds)
    check_answers(workload, running, measured)
    kept = _kept(running, before, warm_up.completed + measured.completed)
    return Round(workload, running.name, number, measured, kept)


def run_cold(running: RunningServer, names: NameFiles, number: int) -> Round:
    before = _log(running)
    measured = load.run(running.port, names.blocked_cold(number))
    check_answers(COLD, running, measured)
    return Round(COLD, running.name, number, measured, _kept(running, before, measured.completed))


def fresh_names(names: NameFiles) -> Iterator[str]:
    with names.fresh.open() as lines:
        yield from (line.rstrip() for line in lines)


def run_miss(server: str, port: int, names: list[str], number: int, rate: float) -> Miss:
    found: Latencies = latency.measure(port, names, rate, seed=number)
    return Miss(
        server, number, found.quantile(0.5), found.quantile(0.99), found.resolved / found.sent
    )


def take(names: Iterator[str], count: float) -> list[str]:
    """The next so many."""
    some = list(islice(names, int(count)))
    if len(some) < int(count):
        raise BenchError("no names are left that were never asked: fewer rounds or seconds")
    return some


def settle(running: RunningServer) -> float:
    """Nobody is measured while another server still works off what it was asked; seconds that took."""
    quiet = LOG_QUIET if product.is_ours(running.server) else 0.5
    return processes.wait_until_idle(running.process, quiet)


def check_answers(workload: str, running: RunningServer, measured: Load) -> None:
    """A fast wrong answer is no measurement."""
    wanted = "NOERROR" if workload == "cached-warm" else running.server.blocked
    needed = (
        RIGHT_SHARE_MODEL
        if workload == "cached-warm" and product.is_ours(running.server)
        else RIGHT_SHARE
    )
    if measured.share(wanted) < needed:
        raise BenchError(f"{running.name} in {workload}: {wanted} expected, got {measured.rcodes}")


def _log(running: RunningServer) -> product.Log | None:
    return product.log(running.place) if running.server.keeps_events else None


def _kept(running: RunningServer, before: product.Log | None, answered: int) -> Kept | None:
    drain = settle(running)
    if before is None:
        return None
    after = product.log(running.place)
    return Kept(answered, after.stored - before.stored, after.dropped - before.dropped, drain)
