"""`python -m bench.score`: how fast names are judged by the model alone, on one core. Writes into docs/score.md.

A million names really visited (the list `tranco` of the package `pymispwarninglists`) through the very command, and
from text to verdict within a process: one name at a time, and in batches of 64 as the resolver makes them.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.__main__ import machine
from bench.report import put, table
from namewarden.detector.backlog import BATCH
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Labels, Scorable, dynamic_providers, warning_list
from namewarden.detector.model import Model
from namewarden.query import Verdict

PAGE = Path(__file__).resolve().parent.parent / "docs" / "score.md"
MARKERS = ("<!-- score:begin, written by `make bench-score` -->", "<!-- score:end -->")
ROUNDS = 15


@dataclass(frozen=True)
class ScoreTimes:
    names: int
    seconds: float  # on the wall
    processor: float
    single: float  # microseconds of processor time a name
    batched: float
    model: str
    machine: str
    date: str


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.score", description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000, help="through `namewarden score`")
    parser.add_argument("--few", type=int, default=2048, help="one by one, and in batches")
    parser.add_argument("--no-page", action="store_true", help="print, leave docs/score.md alone")
    options = parser.parse_args(arguments)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    figures = measure(warning_list("tranco")[: options.names], options.few)
    text = render(figures)
    if not options.no_page:
        put(PAGE, "# Names judged by the model alone\n", MARKERS, text)
    print(text)  # noqa: T201
    return 0


def measure(names: list[str], few: int) -> ScoreTimes:
    seconds, processor = command(names)
    model, labels = Model(), Labels(dynamic_providers())
    some = [f"{name}." for name in names[:: max(len(names) // few, 1)]][:few]

    def judged(batch: list[str]) -> object:
        return verdicts(batch, labels, model)

    return ScoreTimes(
        len(names),
        seconds,
        processor,
        single=least(judged, some, 1),
        batched=least(judged, some, BATCH),
        model=model.model,
        machine=machine(),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def command(names: list[str]) -> tuple[float, float]:
    """Seconds on the wall and of processor time, start of the program included."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "names"
        file.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "namewarden", "score", str(file)],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.count(b"\n") == len(names)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used


def verdicts(names: list[str], labels: Labels, model: Model) -> list[Verdict]:
    """From text to verdict, nothing remembered."""
    whats = [labels.find(name) for name in names]
    scores = iter(model.score_batch([what.judged for what in whats if isinstance(what, Scorable)]))
    return [
        judge(
            what,
            next(scores) if isinstance(what, Scorable) else None,
            model.thresholds,
            MODEL_POLICY,
        )
        for what in whats
    ]


MODEL_POLICY = ModelPolicy()


def least(work: Callable[[list[str]], object], names: list[str], at_once: int) -> float:
    """Microseconds of processor time a name. Every stretch of names counts its quickest round: others, who use the
    machine too, take cache and clock away for moments, not for all rounds of one stretch."""
    stretches = [names[i : i + BATCH] for i in range(0, len(names), BATCH)]
    return sum(_quickest(work, each, at_once) for each in stretches) / len(names) * 1e6


def _quickest(work: Callable[[list[str]], object], names: list[str], at_once: int) -> float:
    batches = [names[i : i + at_once] for i in range(0, len(names), at_once)]
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for batch in batches:
            work(batch)
        rounds.append(time.process_time() - began)
    return min(rounds)


def render(figures: ScoreTimes) -> str:
    rows = [
        [f"`namewarden score`, {figures.names:,} names: a second on the wall",
         f"{figures.names / figures.seconds:,.0f} names"],
        ["… and a second of processor time, start included", f"{figures.names / figures.processor:,.0f} names"],
        ["from text to verdict, one name at a time", f"{figures.single:.1f} µs"],
        [f"from text to verdict, in batches of {BATCH}", f"{figures.batched:.1f} µs"],
    ]  # fmt: skip
    about = f"Model {figures.model}, one core of {figures.machine}, {figures.date}. Times a name are processor time."
    return f"{about}\n\n{table(['what', 'figure'], rows)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
