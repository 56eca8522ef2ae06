"""The figures as Markdown tables, put between two markers of `docs/benchmarks.md`."""

from collections.abc import Iterable
from pathlib import Path

from bench.decision import Decisions
from bench.marks import OURS, judge
from bench.memory import ServerMemory, Starts
from bench.new_names import Overload, Step
from bench.results import REFERENCE, OverRounds, Results, spread
from bench.swap import RATE, Swaps
from bench.workloads import COLD, WARM, Miss

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- bench:begin, written by `make bench` -->", "<!-- bench:end -->"
MB = 1_000_000


def write(results: Results, page: Path = PAGE) -> None:
    put(page, "# Benchmarks\n", (BEGIN, END), render(results))


def put(page: Path, title: str, markers: tuple[str, str], text: str) -> None:
    """Replace what is between the markers; a page without them gets them at its end."""
    begin, end = markers
    old = page.read_text(encoding="utf-8") if page.exists() else title
    before, _, rest = old.partition(begin)
    after = rest.partition(end)[2] or "\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before.rstrip()}\n\n{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def render(results: Results) -> str:
    parts = [
        _head(results), _rates(results), _events(results), _misses(results), _new_names(results),
        _overload(results.overload), _starts(results.starts), _decisions(results.decisions),
        _swaps(results.swaps),
        _marks(results), _notes(results),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _head(results: Results) -> str:
    versions = "; ".join(sorted(set(results.versions.values())))
    return (
        f"`{results.command}`, {results.date}. {results.machine}. {versions}.\n\n"
        f"A list of {results.names:,} names; warm rounds of {results.seconds:g} s; servers on one core, "
        "load on another; "
        "dnsperf on loopback, closed loop, no EDNS. Median (least–most) of the rounds; × is the ratio of the medians "
        f"against {REFERENCE}.\n"
    )


def _rates(results: Results) -> str:
    servers = list(dict.fromkeys(r.server for r in results.rounds))
    workloads = [
        workload
        for workload in (*WARM, COLD)
        if any(r.workload == workload for r in results.rounds)
    ]
    if not workloads:
        return ""
    head = [
        "server",
        *(text for workload in workloads for text in (f"{workload}, q/s", "×")),
        "memory MB",
        "after the rounds MB",
        "first blocked answer s",
    ]
    return table(head, (_server_row(results, server, workloads) for server in servers))


def _server_row(results: Results, server: str, workloads: list[str]) -> list[str]:
    cells = [
        text
        for workload in workloads
        for text in (
            _rate(results.rates(workload, server)),
            _ratio(results.ratio(workload, server)),
        )
    ]
    memory = [_pss(found.get(server)) for found in (results.memory, results.memory_after)]
    return [server, *cells, *memory, f"{results.ready.get(server, 0):.2f}"]


def _pss(memory: ServerMemory | None) -> str:
    return _mb(memory.pss) if memory else "–"


def _rate(found: OverRounds | None) -> str:
    if found is None:
        return "–"
    return f"{found.median:,.0f} ({found.least:,.0f}–{found.most:,.0f})"


def _ratio(found: float | None) -> str:
    return "–" if found is None else f"{found:.2f}"


def _mb(amount: int) -> str:
    return f"{amount / MB:,.0f}"


def _events(results: Results) -> str:
    kept = [(r, r.kept) for r in results.rounds if r.kept is not None]
    if not kept:
        return ""
    rows = (
        [
            r.server,
            f"{r.workload} {r.number + 1}",
            f"{k.answered:,}",
            f"{k.stored:,}",
            f"{k.dropped:,}",
            f"{k.drain:.1f}",
        ]
        for r, k in kept
    )
    return table(
        ["server", "round", "answered", "events stored", "dropped", "drained after s"], rows
    )


def _misses(results: Results) -> str:
    asked = dict.fromkeys((m.at_end, m.server) for m in results.misses)
    if not asked:
        return ""
    rows = [
        [
            server or "the upstream itself",
            "after the rounds" if at_end else "freshly started",
            *_ms([m for m in results.misses if (m.at_end, m.server) == (at_end, server)]),
            *_added(results, server, at_end),
        ]
        for at_end, server in asked
    ]
    head = [
        f"cache misses, {results.rate:,.0f} new names/s",
        "when",
        "median ms",
        "p99 ms",
        "adds, median ms",
        "adds, p99 ms",
        "resolved",
    ]
    return table(head, rows)


def _ms(misses: list[Miss]) -> list[str]:
    """Median and p99, of all rounds."""
    found = [spread([getattr(m, it) * 1000 for m in misses]) for it in ("median", "p99")]
    return [f"{it.median:.3f} ({it.least:.3f}–{it.most:.3f})" if it else "–" for it in found]


def _added(results: Results, server: str, at_end: bool) -> list[str]:
    added = [
        results.added(server, quantile, at_end) if server else None
        for quantile in ("median", "p99")
    ]
    shares = [m.resolved for m in results.misses if (m.at_end, m.server) == (at_end, server)]
    return [*(f"{a.median * 1000:.3f}" if a else "–" for a in added), f"{min(shares):.1%}"]


def _new_names(results: Results) -> str:
    if not results.new_names or not results.ceiling:
        return ""
    steps = sorted(results.new_names, key=lambda step: step.rate)
    rows = [_step(OURS, step) for step in steps]
    rows.append(_step("the upstream itself, the load generator's limit", results.ceiling))
    head = ["new names/s", "server", "answered", "median ms", "p99 ms", "late", "events dropped"]
    return table([*head, "passed"], rows)


def _step(server: str, step: Step) -> list[str]:
    times = [f"{step.median * 1000:.3f}", f"{step.p99 * 1000:.3f}"]
    counts = [f"{step.late:,}", f"{step.dropped:,}", "yes" if step.passed else "no"]
    return [f"{step.rate:,.0f}", server, f"{step.answered:.2%}", *times, *counts]


def _overload(found: Overload | None) -> str:
    if found is None:
        return ""
    rows = [
        ["offered, new names/s", f"{found.offered:,.0f}"],
        ["judged in time, names/s", f"{found.scored:,.0f} ({found.share:.0%} of the rate kept up with)"],
        ["of another client, asked", f"{found.gentle_asked:,}"],
        ["answered", f"{found.gentle_answered:,} (p99 {found.gentle_p99 * 1000:.1f} ms)"],
        ["not judged in time", f"{found.gentle_late:,}"],
    ]  # fmt: skip
    return table(["three times what it keeps up with", ""], rows)


def _decisions(found: Decisions | None) -> str:
    if found is None:
        return ""
    rows = [
        ["in force after, median", f"{found.median * 1000:.1f} ms"],
        ["in force after, most", f"{found.slowest * 1000:.1f} ms"],
        ["written by all processes for one, most", f"{found.written:,} octets"],
    ]
    return table([f"a decision, {found.entries:,} names in the list", ""], rows)


def _swaps(found: Swaps | None) -> str:
    if found is None:
        return ""
    rows = [
        ["latest answer, most", f"{max(found.latest) * 1000:.1f} ms"],
        ["latest answer while nothing changes", f"{found.calm * 1000:.1f} ms"],
        ["in force after, median", f"{found.compiled:.1f} s"],
        ["all processes before, PSS", f"{_mb(found.before)} MB"],
        ["the same ones meanwhile, most", f"{_mb(found.peak)} MB"],
        ["the compiler beside them, most", f"{_mb(found.job)} MB"],
    ]
    return table(
        [f"one list of two changed, {found.entries:,} names, {RATE:,.0f} queries/s", ""], rows
    )


def _starts(starts: Starts | None) -> str:
    if starts is None:
        return ""
    rows = [
        ["private memory, with the list", f"{_memory(starts.with_list)}"],
        ["private memory, without a list", f"{_memory(starts.without_list)}"],
        ["snapshot: index", f"{_mb(starts.index)} MB"],
        ["snapshot: the names themselves (mapped from the file)", f"{_mb(starts.text)} MB"],
        ["index and private memory", f"{starts.per_entry:.1f} bytes an entry"],
        ["first blocked answer, list compiled at the start", f"{starts.cold:.2f} s"],
        ["first blocked answer, warm snapshot", f"{starts.warm:.2f} s"],
        ["first answer without a list", f"{starts.bare:.2f} s"],
    ]
    return table([f"Namewarden's memory and starts, {starts.entries:,} names", ""], rows)


def _memory(memory: ServerMemory) -> str:
    return f"{_mb(memory.private)} MB (processes: {memory.processes}; PSS {_mb(memory.pss)} MB)"


def _marks(results: Results) -> str:
    words = {True: "yes", False: "**no**", None: "–"}
    rows = [
        [m.what, m.must, m.goal, m.measured, words[m.reached], words[m.reached_goal]]
        for m in judge(results)
    ]
    if all(row[-2] == words[None] for row in rows):
        return ""
    return table(["mark", "must", "goal", "measured", "must reached", "goal reached"], rows)


def _notes(results: Results) -> str:
    lines = [f"- {name} was not measured: {why}" for name, why in results.skipped.items()]
    lines += [
        f"- {r.server}, {r.workload} round {r.number + 1}: {r.load.lost:,} of {r.load.sent:,} lost, not counted"
        for r in results.invalid()
    ]
    return "".join(f"{line}\n" for line in lines)
