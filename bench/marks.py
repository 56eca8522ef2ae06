"""What the figures must reach, each mark with what was measured beside it. None of it changes the exit status."""

from dataclasses import dataclass

from bench.results import REFERENCE, Results
from bench.workloads import COLD

OURS, NO_EVENTS = "namewarden", "namewarden-no-events"
NOT_MEASURED = "not measured"
WARM_STEP = 0.9  # events on against events off


@dataclass(frozen=True)
class SpeedMark:
    what: str
    wanted: str
    measured: str
    reached: bool | None  # None: not measured in this run


def judge(results: Results) -> list[SpeedMark]:
    return [*_speed(results), *_events(results), *_misses(results), *_memory(results)]


def _speed(results: Results) -> list[SpeedMark]:
    ratios = [
        ("blocked-warm", REFERENCE, 0.8),
        ("cached-warm", REFERENCE, 0.5),
        (COLD, REFERENCE, 0.4),
        *(
            (workload, peer, 1.0)
            for peer in ("coredns-hosts", "dnsproxy-hosts")
            for workload in ("blocked-warm", "cached-warm")
        ),
    ]
    return [
        _least(f"{workload} against {peer}", results.ratio(workload, OURS, peer), least, "×")
        for workload, peer, least in ratios
    ]


def _events(results: Results) -> list[SpeedMark]:
    workloads = ("blocked-warm", "cached-warm")
    kept = [r.kept for r in results.rounds if r.server == OURS and r.kept]
    lost = sum(r.load.lost for r in results.rounds if r.server == OURS)
    gap = sum(k.stored - k.answered for k in kept)
    equal = f"{gap:+,} of {sum(k.answered for k in kept):,} ({lost:,} answers lost on the way)"
    return [
        *(
            _least(
                f"{workload}, events on against off",
                results.ratio(workload, OURS, NO_EVENTS),
                WARM_STEP,
                "×",
            )
            for workload in workloads
        ),
        SpeedMark(
            "events stored = queries answered",
            "equal",
            equal if kept else NOT_MEASURED,
            0 <= gap <= lost if kept else None,
        ),
        SpeedMark(
            "events dropped",
            "none",
            f"{sum(k.dropped for k in kept):,}" if kept else NOT_MEASURED,
            not any(k.dropped for k in kept) if kept else None,
        ),
    ]


def _misses(results: Results) -> list[SpeedMark]:
    middle, tail = results.added(OURS, "median"), results.added(OURS, "p99")
    return [
        _most("a cache miss adds, median", middle.median * 1000 if middle else None, 1, " ms"),
        _most("a cache miss adds, p99", tail.median * 1000 if tail else None, 5, " ms"),
    ]


def _memory(results: Results) -> list[SpeedMark]:
    starts = results.starts
    return [
        _most("list memory", starts.per_entry if starts else None, 20, " B an entry"),
        _most("the list loaded", starts.load if starts else None, 5, " s"),
        _most("ready with a warm snapshot", starts.warm if starts else None, 2, " s"),
    ]


def _least(what: str, value: float | None, limit: float, unit: str) -> SpeedMark:
    return _mark(what, f"≥ {limit:g}{unit}", value, unit, value is not None and value >= limit)


def _most(what: str, value: float | None, limit: float, unit: str) -> SpeedMark:
    return _mark(what, f"≤ {limit:g}{unit}", value, unit, value is not None and value <= limit)


def _mark(what: str, wanted: str, value: float | None, unit: str, is_reached: bool) -> SpeedMark:
    if value is None:
        return SpeedMark(what, wanted, NOT_MEASURED, None)
    return SpeedMark(what, wanted, f"{value:,.2f}{unit}", is_reached)
