"""What the figures must reach and what they should, each with what was measured. None of it changes the exit status."""

from dataclasses import dataclass
from typing import NamedTuple

from bench.new_names import capacity
from bench.results import REFERENCE, Results
from bench.workloads import COLD

OURS, NO_EVENTS = "namewarden", "namewarden-no-events"
NOT_MEASURED = "not measured"
WARM_STEP = 0.9  # events on against events off
# A miss may take this at p99, or so many times what the reference takes in the same run.
MISS_P99_MS, MISS_P99_TIMES = 2.5, 1.5
WRITTEN_MB = 1.0  # of a decision: the events of the queries that wait for it, no list


@dataclass(frozen=True)
class SpeedMark:
    what: str
    must: str
    goal: str  # "": none beyond what must be
    measured: str
    reached: bool | None  # None: not measured in this run
    reached_goal: bool | None = None


class Limits(NamedTuple):
    sign: str
    must: float
    goal: float | None

    def holds(self, value: float, limit: float) -> bool:
        return value >= limit if self.sign == "≥" else value <= limit


def at_least(must: float, goal: float | None = None) -> Limits:
    return Limits("≥", must, goal)


def at_most(must: float, goal: float | None = None) -> Limits:
    return Limits("≤", must, goal)


def judge(results: Results) -> list[SpeedMark]:
    return [
        *_speed(results),
        *_events(results),
        *_misses(results, at_end=False),
        *_misses(results, at_end=True),
        *_new_names(results),
        *_starts(results),
        *_decisions(results),
        *_swaps(results),
    ]


def _speed(results: Results) -> list[SpeedMark]:
    ours = [
        (COLD, REFERENCE, 0.9, 1.2),
        ("blocked-warm", REFERENCE, 1.5, 1.8),
        ("cached-warm", REFERENCE, 1.6, 2.0),
        *(
            (workload, peer, 1.0, None)
            for peer in ("coredns-hosts", "dnsproxy-hosts")
            for workload in ("blocked-warm", "cached-warm")
        ),
    ]
    return [
        _mark(
            f"{workload} against {peer}",
            results.ratio(workload, OURS, peer),
            "×",
            at_least(must, goal),
        )
        for workload, peer, must, goal in ours
    ]


def _events(results: Results) -> list[SpeedMark]:
    kept = [r.kept for r in results.rounds if r.server == OURS and r.kept]
    lost = sum(r.load.lost for r in results.rounds if r.server == OURS)
    gap = sum(k.stored - k.answered for k in kept)
    equal = f"{gap:+,} of {sum(k.answered for k in kept):,} ({lost:,} answers lost on the way)"
    dropped = sum(k.dropped for k in kept)
    return [
        *(
            _mark(
                f"{workload}, events on against off",
                results.ratio(workload, OURS, NO_EVENTS),
                "×",
                at_least(WARM_STEP),
            )
            for workload in ("blocked-warm", "cached-warm")
        ),
        _said("events stored = queries answered", "equal", equal, 0 <= gap <= lost, bool(kept)),
        _said("events dropped", "none", f"{dropped:,}", not dropped, bool(kept)),
    ]


def _misses(results: Results, at_end: bool) -> list[SpeedMark]:
    """The p99 must be at most a time, or so many times the reference's where that is longer."""
    when = "after the rounds" if at_end else "freshly started"
    middle, tail = _added(results, OURS, at_end)
    their_middle, their_tail = _added(results, REFERENCE, at_end)
    allowed = max(MISS_P99_MS, MISS_P99_TIMES * (their_tail or 0.0))
    what = f"a cache miss adds, {when}"
    return [
        _mark(
            f"{what}, median",
            middle,
            " ms",
            at_most(0.5, 2 * their_middle if their_middle else None),
        ),
        _mark(f"{what}, p99", tail, " ms", at_most(allowed, their_tail)),
    ]


def _added(results: Results, server: str, at_end: bool) -> tuple[float | None, float | None]:
    """Milliseconds, median and p99."""
    found = [results.added(server, quantile, at_end) for quantile in ("median", "p99")]
    middle, tail = (it.median * 1000 if it else None for it in found)
    return middle, tail


def _new_names(results: Results) -> list[SpeedMark]:
    found, over = results.new_names, results.overload
    gentle = f"{over.gentle_late} late of {over.gentle_asked}" if over else ""
    is_spared = bool(over and not over.gentle_late and over.gentle_answered == over.gentle_asked)
    return [
        _mark(
            "new names/s, all judged in time",
            capacity(found) if found else None,
            "",
            at_least(8000, 15_000),
        ),
        _mark(
            "three times that: names judged in time, of that rate",
            over.share if over else None,
            "×",
            at_least(0.9),
        ),
        _said("who asks a little beside it", "never late", gentle, is_spared, over is not None),
    ]


def _starts(results: Results) -> list[SpeedMark]:
    starts = results.starts
    idle = starts.without_list.pss / 1e6 if starts else None
    return [
        _mark("memory of all processes, idle, no list (PSS)", idle, " MB", at_most(200, 150)),
        _mark("list memory", starts.per_entry if starts else None, " B an entry", at_most(20)),
        _mark(
            "from nothing to ready, the list compiled",
            starts.cold if starts else None,
            " s",
            at_most(2.5),
        ),
        _mark("ready with a warm snapshot", starts.warm if starts else None, " s", at_most(0.7)),
    ]


def _decisions(results: Results) -> list[SpeedMark]:
    found = results.decisions
    entries = f"{found.entries:,}" if found else "two million"
    what = f"a decision at {entries} entries"
    written = found.written / 1e6 if found else None
    return [
        _mark(
            f"{what} is in force after", found.median * 1000 if found else None, " ms", at_most(50)
        ),
        _mark(f"{what} writes", written, " MB", at_most(WRITTEN_MB)),
    ]


def _swaps(results: Results) -> list[SpeedMark]:
    found = results.swaps
    entries = f"{found.entries:,}" if found else "two million"
    what = f"{entries} entries swapped"
    latest = max(found.latest) * 1000 if found else None
    times = (found.peak + found.job) / found.before if found else None
    return [
        _mark(f"{what}, the latest answer", latest, " ms", at_most(10)),
        _mark(f"{what}, memory with the compiler's", times, "×", at_most(2)),
    ]


def _mark(what: str, value: float | None, unit: str, limits: Limits) -> SpeedMark:
    must, goal = (f"{limits.sign} {_number(it)}{unit}" if it else "" for it in limits[1:])
    if value is None:
        return SpeedMark(what, must, goal, NOT_MEASURED, None)
    measured = f"{value:,.0f}{unit}" if value >= 1000 else f"{value:.2f}{unit}"
    reached = limits.holds(value, limits.must)
    reached_goal = limits.holds(value, limits.goal) if limits.goal else None
    return SpeedMark(what, must, goal, measured, reached, reached_goal)


def _number(limit: float) -> str:
    return f"{limit:,.0f}" if limit >= 1000 else f"{limit:.3g}"


def _said(what: str, must: str, measured: str, reached: bool, is_measured: bool) -> SpeedMark:
    if not is_measured:
        return SpeedMark(what, must, "", NOT_MEASURED, None)
    return SpeedMark(what, must, "", measured, reached)
