"""Names and their events, counted. Pure functions; `page.py` shows what comes of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field

from bench.processes import BenchError
from bench.replay.firewall import LoggedEvent
from bench.replay.names import AskedName

ACTIONS = ("allow", "flag", "review", "block", "redirect")
REFUSED = ("block", "redirect")


class JudgedName(Struct, frozen=True):
    """A name that was asked, the newest event of it, and how long its first answer took."""

    asked: AskedName
    event: LoggedEvent
    took: float  # seconds


class Tally(Struct):
    """One line of a table."""

    names: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unguarded: Counter[str] = field(
        default_factory=Counter
    )  # actions, had there been no guard list

    def add(self, judged: JudgedName) -> None:
        self.names += 1
        self.actions[judged.event.action] += 1
        self.reasons[judged.event.reason] += 1
        self.unguarded[without_guard(judged)] += 1

    @property
    def blocked(self) -> float:
        return sum(self.actions[action] for action in REFUSED) / max(self.names, 1)

    @property
    def stopped(self) -> float:
        """Blocked, or answered and queued for vetting."""
        return self.blocked + self.actions["review"] / max(self.names, 1)

    @property
    def blocked_unguarded(self) -> int:
        return sum(self.unguarded[action] for action in REFUSED)


def without_guard(judged: JudgedName) -> str:
    """What the action would have been without the guard list, by the rule of `detector/judge.py`."""
    if judged.event.reason != "guard":
        return judged.event.action
    return "review" if judged.event.band == "uncertain" or judged.asked.is_private else "block"


def join(asked: Sequence[AskedName], events: Iterable[LoggedEvent]) -> list[JudgedName]:
    """Each name with its newest event. BenchError for a name without one: the log must be whole."""
    found: dict[str, list[LoggedEvent]] = {}
    for event in sorted(events, key=lambda event: event.time):
        found.setdefault(event.name.removesuffix("."), []).append(event)
    if missing := [each.name for each in asked if each.name not in found]:
        raise BenchError(f"{len(missing):,} names have no event, {missing[0]} among them")
    return [JudgedName(each, found[each.name][-1], found[each.name][0].duration) for each in asked]


def queries(asked: Iterable[AskedName], events: Iterable[LoggedEvent]) -> int:
    """How many queries for these names the log holds."""
    names = {each.name for each in asked}
    return sum(event.count for event in events if event.name.removesuffix(".") in names)


def tally(
    judged: Iterable[JudgedName], by: Callable[[JudgedName], tuple[str, ...]]
) -> dict[tuple[str, ...], Tally]:
    """A line for each key, in the order of the keys."""
    lines: dict[tuple[str, ...], Tally] = {}
    for each in judged:
        lines.setdefault(by(each), Tally()).add(each)
    return dict(sorted(lines.items()))


def mean(lines: Mapping[tuple[str, ...], Tally], share: Callable[[Tally], float]) -> float:
    """Every line counts the same, however many names it has."""
    return sum(share(line) for line in lines.values()) / max(len(lines), 1)


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0
