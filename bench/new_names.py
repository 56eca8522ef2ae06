"""How many never-repeated names a second the model keeps up with, and what becomes of three times as many.

new-names  the highest rate that is answered in time with every name judged: by doubling, then between the last two
overload   three times that, and beside it a client of another network that asks a little
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench import latency, product, workloads
from bench.latency import Client, Latencies
from bench.names import NameFiles
from bench.processes import BenchError
from bench.testbed import RunningServer

ANSWERED, SLOWEST = 0.999, 0.010  # share of the names, seconds at p99
FIRST, HIGHEST = 1_000.0, 64_000.0  # names a second
NEAR = 1.07  # how far apart a rate that passed and one that did not may be at the end
TIMES = 3
GENTLE, GENTLE_RATE = "127.0.9.1", 20.0


@dataclass(frozen=True)
class Step:
    """One rate tried; of the upstream itself nothing is late, for nothing is judged."""

    rate: float
    answered: float
    median: float
    p99: float
    late: int = 0
    dropped: int = 0

    @property
    def passed(self) -> bool:
        kept_up = self.answered >= ANSWERED and self.p99 <= SLOWEST
        return kept_up and not self.late and not self.dropped


@dataclass(frozen=True)
class Overload:
    offered: float  # names a second
    scored: float  # of these in time
    capacity: float
    gentle_asked: int
    gentle_answered: int
    gentle_late: int
    gentle_p99: float

    @property
    def share(self) -> float:
        return self.scored / self.capacity


def new_names(names: NameFiles) -> Iterator[str]:
    with names.new.open() as lines:
        yield from (line.rstrip() for line in lines)


def ceiling(world: int, seconds: float) -> Step:
    """The highest rate at which the upstream, asked directly, still passes: what this load generator can measure."""
    rate = HIGHEST
    while rate >= FIRST:
        asked = [f"direct{number}.example.org" for number in range(int(rate * seconds))]
        step = _step(rate, latency.measure(world, asked, rate))
        if step.passed:
            return step
        rate /= 2
    raise BenchError(
        f"this machine is not quiet: its upstream has a p99 of {step.p99 * 1000:.0f} ms at {step.rate:,.0f}/s"
    )


def search(ask: Callable[[float], Step], first: float, highest: float) -> list[Step]:
    """All steps: rates are doubled until one fails, then the gap is halved until it is small."""
    steps, low, high = [ask(first)], 0.0, highest * NEAR
    while steps[-1].passed:
        low = steps[-1].rate
        if low >= highest:
            return steps
        steps.append(ask(min(2 * low, highest)))
    high = steps[-1].rate
    while low and high / low > NEAR:
        steps.append(ask((low * high) ** 0.5))
        low, high = (steps[-1].rate, high) if steps[-1].passed else (low, steps[-1].rate)
    return steps


def capacity(steps: list[Step]) -> float:
    """The highest rate that passed; 0 when none did."""
    return max((step.rate for step in steps if step.passed), default=0.0)


def try_rate(running: RunningServer, names: Iterator[str], rate: float, seconds: float) -> Step:
    before = product.log(running.place)
    found = latency.measure(running.port, workloads.take(names, rate * seconds), rate)
    workloads.settle(running)
    after = product.log(running.place)
    return _step(rate, found, after.late - before.late, after.dropped - before.dropped)


def overload(
    running: RunningServer, names: Iterator[str], found: float, seconds: float
) -> Overload:
    before, rate = product.log(running.place), TIMES * found
    known = product.late_of(running.place, GENTLE)
    _, gentle = latency.measure_together(
        running.port,
        [
            Client(workloads.take(names, rate * seconds), rate),
            Client(workloads.take(names, GENTLE_RATE * seconds), GENTLE_RATE, GENTLE),
        ],
    )
    workloads.settle(running)
    after = product.log(running.place)
    scored = (after.stored - after.late) - (before.stored - before.late)
    return Overload(
        offered=rate,
        scored=scored / seconds,
        capacity=found,
        gentle_asked=gentle.sent,
        gentle_answered=len(gentle.seconds),
        gentle_late=product.late_of(running.place, GENTLE) - known,
        gentle_p99=gentle.quantile(0.99),
    )


def _step(rate: float, found: Latencies, late: int = 0, dropped: int = 0) -> Step:
    answered, median, p99 = found.answered, found.quantile(0.5), found.quantile(0.99)
    return Step(rate, answered, median, p99, late, dropped)
