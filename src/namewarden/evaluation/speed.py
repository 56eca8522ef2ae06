"""What a verdict costs: from the text of a name to its band, on one thread, in processor time.

What is timed is what the resolver does: which label is scored, encoding, network, calibration, band, and the family
where the band is not benign. No name is asked twice in a round and no label remembered.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct

from namewarden.detector.label import Labels, Scorable
from namewarden.evaluation.page import table

BATCH = 64
ROUNDS = 5
Score = Callable[[Sequence[str]], object]  # labels → scores with their bands


class Cost(Struct, frozen=True):
    """Microseconds a name."""

    median: float
    p99: float


class Speed(Struct, frozen=True):
    single: Cost
    batched: Cost
    generated_single: Cost  # names whose family is mostly told too
    generated_batched: Cost
    names: int  # of either kind
    rounds: int
    files: dict[str, int]  # what is packaged, bytes


def measure(
    asked: Sequence[str],
    generated: Sequence[str],
    score: Score,
    labels: Labels,
    files: dict[str, int],
    rounds: int = ROUNDS,
) -> Speed:
    """Names as clients ask them, but for those that are not judged, and generated ones."""
    asked = [name for name in asked if isinstance(labels.scored(name), Scorable)]
    single, batched = _both(asked, score, labels, rounds)
    made_single, made_batched = _both(generated, score, labels, rounds)
    return Speed(single, batched, made_single, made_batched, len(asked), rounds, files)


def _both(names: Sequence[str], score: Score, labels: Labels, rounds: int) -> tuple[Cost, Cost]:
    batches = [names[at : at + BATCH] for at in range(0, len(names) - BATCH + 1, BATCH)]
    for some in batches[:2]:
        judge(some, score, labels)
    single = cost([[name] for name in names], score, labels, rounds)
    return single, cost(batches, score, labels, rounds)


def cost(batches: Sequence[Sequence[str]], score: Score, labels: Labels, rounds: int) -> Cost:
    took = []
    for _ in range(rounds):
        for batch in batches:
            started = time.thread_time_ns()
            judge(batch, score, labels)
            took.append((time.thread_time_ns() - started) / 1000 / len(batch))
    return Cost(float(np.median(took)), float(np.percentile(took, 99))) if took else Cost(0.0, 0.0)


def judge(names: Sequence[str], score: Score, labels: Labels) -> None:
    whats = [labels.scored(name) for name in names]
    score([what.judged for what in whats if isinstance(what, Scorable)])


def _row(what: str, of: Cost) -> list[str]:
    return [what, f"{of.median:.1f}", f"{of.p99:.1f}"]


def show(found: Speed) -> str:
    rows = [
        _row("a name as clients ask, single", found.single),
        _row(f"the same, batches of {BATCH}", found.batched),
        _row("a generated name, single", found.generated_single),
        _row(f"the same, batches of {BATCH}", found.generated_batched),
    ]
    size = ", ".join(f"{name} {octets:,}" for name, octets in sorted(found.files.items()))
    told = (
        f"\nPackaged, in bytes: {size}; together {sum(found.files.values()):,}.\n" if size else ""
    )
    head = ["µs of processor time a name", "median", "p99"]
    return (
        table(head, rows)
        + f"\n{found.names:,} names of either kind, {found.rounds} rounds, one thread.\n"
        + told
    )
