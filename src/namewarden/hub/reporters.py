"""Which sources are there, what they say of themselves, and which of them ended without a word.

Fed by every batch (`ingest.py`), heartbeats included.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from namewarden.events.batch import Batch
from namewarden.hub.upstreams import SERVERS, Counts, Key, Upstream, counts, joined, sound
from namewarden.query import UpstreamState

# Senders speak at least every ten seconds (`events/sender.py`).
SILENCE = 30.0
RUNS = 256  # kept in mind
WORDS = 64  # counters and gauges of one source: they become metrics
_WORD = re.compile(r"^[a-z][a-z0-9_]{0,47}$")


class Run(Struct):
    """One start of one source."""

    run: str
    source: str
    worker: int
    seen: float  # epoch seconds
    counters: dict[str, int]
    gauges: dict[str, float]
    upstreams: list[UpstreamState]


class Reporters:
    """A sink. May be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._runs: dict[str, Run] = {}
        self._totals: dict[tuple[str, str], int] = {}  # (source, counter) → over all runs
        self._asked: dict[Key, Counts] = {}  # the same of upstreams

    def take(self, batch: Batch) -> None:
        with self._lock:
            known = self._runs.get(batch.run)
            counters = {name: value for name, value in batch.counters.items() if _WORD.match(name)}
            self._add(batch.source, known.counters if known else {}, counters)
            upstreams = sound(batch.upstreams)
            self._add_asked(known.upstreams if known else [], upstreams)
            if batch.last:
                self._runs.pop(batch.run, None)
            elif known or len(self._runs) < RUNS:
                gauges = {n: value for n, value in batch.gauges.items() if _WORD.match(n)}
                self._runs[batch.run] = Run(
                    batch.run, batch.source, batch.worker, self._clock(), counters, gauges, upstreams
                )  # fmt: skip

    def _add(self, source: str, before: dict[str, int], now: dict[str, int]) -> None:
        for name, value in now.items():
            key = (source, name)
            if key in self._totals or len(self._totals) < WORDS:
                self._totals[key] = self._totals.get(key, 0) + max(0, value - before.get(name, 0))

    def _add_asked(self, before: list[UpstreamState], now: list[UpstreamState]) -> None:
        known = counts(before)
        for key, (queries, failures) in counts(now).items():
            if key in self._asked or len(self._asked) < SERVERS:
                (asked, failed), (a, f) = self._asked.get(key, (0, 0)), known.get(key, (0, 0))
                self._asked[key] = asked + max(0, queries - a), failed + max(0, failures - f)

    def ended(self) -> list[Run]:
        """Runs that fell silent without a last batch: killed. Each is given once."""
        limit = self._clock() - SILENCE
        with self._lock:
            gone = [run for run in self._runs.values() if run.seen < limit]
            for run in gone:
                del self._runs[run.run]
        return gone

    def totals(self) -> dict[tuple[str, str], int]:
        with self._lock:
            return dict(self._totals)

    def gauges(self) -> dict[tuple[str, str], float]:
        """Sums over the runs that are there."""
        found: dict[tuple[str, str], float] = {}
        with self._lock:
            for run in self._runs.values():
                for name, value in list(run.gauges.items())[:WORDS]:
                    found[run.source, name] = found.get((run.source, name), 0.0) + value
        return found

    def upstreams(self) -> list[Upstream]:
        """How each is, by what the runs that are there say together."""
        with self._lock:
            said = [(run.seen, state) for run in self._runs.values() for state in run.upstreams]
            return joined(said, self._asked, self._clock())[:SERVERS]

    def report(self) -> list[dict[str, Any]]:
        """For people: who is there, and how long ago they spoke."""
        now = self._clock()
        with self._lock:
            runs = sorted(self._runs.values(), key=lambda run: (run.source, run.worker))
            return [
                {
                    "source": run.source,
                    "worker": run.worker,
                    "run": run.run,
                    "age": round(now - run.seen, 3),
                    "counters": dict(run.counters),
                    "gauges": dict(run.gauges),
                }
                for run in runs
            ]
