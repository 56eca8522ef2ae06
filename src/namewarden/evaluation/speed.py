"""What a verdict costs: from the text of a name to its band, on one thread, in processor time.

What is timed is what the resolver does: which label is scored, encoding, network, calibration, band. No name is asked
twice in a round and no label remembered.
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


class Found(Struct, frozen=True):
    single: Cost
    batched: Cost
    names: int
    rounds: int
    files: dict[str, int]  # what is packaged, bytes


def measure(
    names: Sequence[str], score: Score, labels: Labels, files: dict[str, int], rounds: int = ROUNDS
) -> Found:
    batches = [names[at : at + BATCH] for at in range(0, len(names) - BATCH + 1, BATCH)]
    for some in batches[:2]:
        judge(some, score, labels)
    single = cost([[name] for name in names], score, labels, rounds)
    return Found(single, cost(batches, score, labels, rounds), len(names), rounds, files)


def cost(batches: Sequence[Sequence[str]], score: Score, labels: Labels, rounds: int) -> Cost:
    took = []
    for _ in range(rounds):
        for batch in batches:
            started = time.process_time_ns()
            judge(batch, score, labels)
            took.append((time.process_time_ns() - started) / 1000 / len(batch))
    return Cost(float(np.median(took)), float(np.percentile(took, 99))) if took else Cost(0.0, 0.0)


def judge(names: Sequence[str], score: Score, labels: Labels) -> None:
    whats = [labels.scored(name) for name in names]
    score([what.label for what in whats if isinstance(what, Scorable)])


def show(found: Found) -> str:
    rows = [
        ["a single name", f"{found.single.median:.1f}", f"{found.single.p99:.1f}"],
        [f"batches of {BATCH}", f"{found.batched.median:.1f}", f"{found.batched.p99:.1f}"],
    ]
    size = ", ".join(f"{name} {octets:,}" for name, octets in sorted(found.files.items()))
    said = (
        f"\nPackaged, in bytes: {size}; together {sum(found.files.values()):,}.\n" if size else ""
    )
    head = ["µs of processor time a name", "median", "p99"]
    return (
        table(head, rows) + f"\n{found.names:,} names, {found.rounds} rounds, one thread.\n" + said
    )
