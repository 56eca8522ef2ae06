"""All that one run has measured, and the questions the report asks of it."""

import dataclasses
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.decision import Decisions
from bench.memory import ServerMemory, Starts
from bench.new_names import Overload, Step
from bench.swap import Swaps
from bench.workloads import Miss, Round

REFERENCE = "unbound-rpz"


@dataclass(frozen=True)
class OverRounds:
    """Of the rounds that count."""

    median: float
    least: float
    most: float
    rounds: int


@dataclass
class Results:
    command: str
    date: str
    machine: str
    names: int
    seconds: float
    rate: float  # new names a second in the workload miss
    versions: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    ready: dict[str, float] = field(default_factory=dict)
    memory: dict[str, ServerMemory] = field(default_factory=dict)  # ready, nobody has asked yet
    memory_after: dict[str, ServerMemory] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)
    starts: Starts | None = None
    ceiling: Step | None = None  # of the upstream asked directly, with this load generator
    new_names: list[Step] = field(default_factory=list)
    overload: Overload | None = None
    decisions: Decisions | None = None
    swaps: Swaps | None = None

    def rates(self, workload: str, server: str) -> OverRounds | None:
        return spread([r.load.rate for r in self.of(workload, server) if r.is_valid])

    def of(self, workload: str, server: str) -> list[Round]:
        return [r for r in self.rounds if (r.workload, r.server) == (workload, server)]

    def ratio(self, workload: str, server: str, reference: str = REFERENCE) -> float | None:
        ours, theirs = self.rates(workload, server), self.rates(workload, reference)
        return ours.median / theirs.median if ours and theirs else None

    def invalid(self) -> list[Round]:
        return [r for r in self.rounds if not r.is_valid]

    def added(self, server: str, quantile: str, at_end: bool) -> OverRounds | None:
        """What the server adds to the upstream's own time, seconds, round by round."""
        misses = [m for m in self.misses if m.at_end == at_end]
        direct = {m.number: getattr(m, quantile) for m in misses if m.server == ""}
        return spread(
            [
                getattr(m, quantile) - direct[m.number]
                for m in misses
                if m.server == server and m.number in direct
            ]
        )

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")


def spread(values: Sequence[float]) -> OverRounds | None:
    if not values:
        return None
    return OverRounds(statistics.median(values), min(values), max(values), len(values))
