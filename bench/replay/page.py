"""The counts as Markdown, put between two markers of `docs/replay.md`."""

from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from msgspec import Struct

from bench.replay.count import ACTIONS, JudgedName, Tally, mean, quantile, tally
from bench.replay.names import AskedName
from bench.report import put, table
from namewarden.detector.model import Manifest
from namewarden.training.data import CHOOSE_BY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "replay.md"
MARKERS = ("<!-- replay:begin, written by `python -m bench.replay` -->", "<!-- replay:end -->")
LEARNED, CHOSEN, UNSEEN = "learned from", "chosen by", "never seen"


class ReplayRun(Struct, frozen=True):
    """All that one replay found."""

    command: str
    date: str
    machine: str
    rate: float  # names a second
    manifest: Manifest
    judged: list[JudgedName]
    datagrams: int
    again: int  # of these, names asked once more because no answer came
    stored: int  # queries for these names in the event log
    dropped: int
    late: int  # names first answered without a score, asked again
    rcodes: dict[str, int]

    def of(self, *kinds: str) -> list[JudgedName]:
        return [each for each in self.judged if each.asked.kind in kinds]

    def generator(self, asked: AskedName) -> str:
        """What the model knew of the algorithm that made the name."""
        if asked.bucket in self.manifest.families:
            return LEARNED
        return CHOSEN if asked.bucket in CHOOSE_BY else UNSEEN


def write(run: ReplayRun, page: Path = PAGE) -> None:
    put(page, "# Replay\n", MARKERS, render(run))


def render(run: ReplayRun) -> str:
    return "\n".join(
        [
            _head(run),
            _section("In all", _totals(run)),
            _section("Generated names, every family counting the same", _means(run)),
            _section("Benign names", _buckets(run, "benign", "special")),
            _section("Names on malware lists, not generated", _buckets(run, "malicious")),
            _section("By family", _families(run)),
            _section("What a name costs", _costs(run)),
        ]
    )


def _section(title: str, text: str) -> str:
    return f"### {title}\n\n{text}"


def _head(run: ReplayRun) -> str:
    rcodes = ", ".join(f"{name} {count:,}" for name, count in sorted(run.rcodes.items()))
    return (
        f"`{run.command}`, {run.date}. {run.machine}. Model {run.manifest.digest[:12]} of {run.manifest.made}.\n\n"
        f"{len(run.judged):,} different names at {run.rate:,.0f} a second: {run.datagrams:,} queries sent, "
        f"{run.again:,} of them again for want of an answer, {run.stored:,} in the event log, {run.dropped:,} dropped. "
        f"Answers: {rcodes}. {run.late:,} names were first answered without a score (`model_late`) and asked again.\n"
    )


def _totals(run: ReplayRun) -> str:
    lines = tally(run.judged, lambda each: (each.asked.kind, each.asked.known))
    whole = tally(run.judged, lambda each: ("all", ""))
    return _table(["names", "label"], {**lines, **whole})


def _means(run: ReplayRun) -> str:
    """A mean over families, for generators and labels apart."""
    head = ["generator", "label", "families", "names", "blocked", "blocked or review"]
    found = tally(
        run.of("generated"),
        lambda each: (run.generator(each.asked), _label(each), each.asked.bucket),
    )
    rows = []
    for generator, label in dict.fromkeys(key[:2] for key in found):
        lines = {key: line for key, line in found.items() if key[:2] == (generator, label)}
        names = sum(line.names for line in lines.values())
        shares = [mean(lines, lambda line: line.blocked), mean(lines, lambda line: line.stopped)]
        rows.append([generator, label, str(len(lines)), f"{names:,}", *map(_share, shares)])
    return table(head, rows)


def _label(each: JudgedName) -> str:
    return each.asked.known if each.asked.known in ("learned", "a site's") else "never learned"


def _buckets(run: ReplayRun, *kinds: str) -> str:
    judged = run.of(*kinds)
    every = {
        **tally(judged, lambda each: (each.asked.bucket, each.asked.known)),
        **tally(judged, lambda each: ("all of these", each.asked.known)),
    }
    more = ("blocked without the guard list", lambda line: f"{line.blocked_unguarded:,}")
    return _table(["bucket", "label"], every, more)


def _families(run: ReplayRun) -> str:
    found = tally(
        run.of("generated"),
        lambda each: (run.generator(each.asked), each.asked.bucket, _label(each)),
    )
    return _table(["generator", "family", "label"], found)


def _costs(run: ReplayRun) -> str:
    """Seconds from arrival to answer, as the events say."""
    rows = []
    for what, fits in _COSTS.items():
        took = [each.took for each in run.judged if fits(each)]
        marks = [f"{quantile(took, share) * 1000:.2f}" for share in (0.5, 0.99)]
        rows.append([what, f"{len(took):,}", *marks])
    return table(["names", "number", "p50 ms", "p99 ms"], rows)


_COSTS: dict[str, Callable[[JudgedName], bool]] = {
    "all": lambda each: True,
    "scored, then forwarded": lambda each: each.event.score is not None and each.event.status == "FORWARDED",
    "scored and blocked": lambda each: each.event.status == "BLOCKED",
    "not scored, forwarded": lambda each: each.event.score is None and each.event.status == "FORWARDED",
    "answered here": lambda each: each.event.status == "LOCAL",
}  # fmt: skip


Column = tuple[str, Callable[[Tally], str]]


def _table(keys: list[str], lines: dict[tuple[str, ...], Tally], *more: Column) -> str:
    head = [
        *keys,
        "names",
        *ACTIONS,
        "blocked",
        "blocked or review",
        *(c[0] for c in more),
        "reasons",
    ]
    return table(head, (_row(key, line, more) for key, line in lines.items()))


def _row(key: tuple[str, ...], line: Tally, more: Iterable[Column]) -> list[str]:
    counts = (f"{line.actions[action]:,}" for action in ACTIONS)
    shares = (_share(line.blocked), _share(line.stopped))
    return list(
        chain(
            key, [f"{line.names:,}"], counts, shares, (c[1](line) for c in more), [_reasons(line)]
        )
    )


def _reasons(line: Tally) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in line.reasons.most_common())


def _share(share: float) -> str:
    return f"{share:.2%}" if 0 < share < 0.01 else f"{share:.1%}"
