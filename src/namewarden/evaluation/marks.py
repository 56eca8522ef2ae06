"""What a model must reach, each mark with what was measured beside it; nothing here changes the exit status."""

from collections.abc import Sequence

from msgspec import Struct

from namewarden.evaluation.answers import KNOWN, UNSEEN
from namewarden.evaluation.figures import Figures
from namewarden.evaluation.page import NOT_MEASURED, percent, table

# Shares found, family means, at 1e-2, 1e-3, 1e-4.
FOUND = {KNOWN: (0.95, 0.85, 0.50), UNSEEN: (0.80, 0.60)}
RATES = ("1e-2", "1e-3", "1e-4")
LARGEST = 1_000_000


class Mark(Struct, frozen=True):
    what: str
    wanted: str
    measured: str
    reached: bool | None  # None: not measured


def judge(figures: Figures) -> list[Mark]:
    return [*_found(figures), *_later(figures), *_families(figures), *_cost(figures)]


def _found(figures: Figures) -> list[Mark]:
    marks = []
    for group, wanted in FOUND.items():
        found = figures.detection.groups.get(group)
        for place, least in enumerate(wanted):
            mean = found.means[place].mean if found else None
            marks.append(_least(f"{group} families, found at {RATES[place]}", least, mean))
    return marks


def _later(figures: Figures) -> list[Mark]:
    drift, block = figures.drift, figures.detection.benign[2]
    newer = [it.blocked.rate for it in drift.newer.values() if it.blocked.names >= 1000]
    queried = drift.queried if drift.queried.blocked.names else None
    return [
        _most("benign test names above the threshold for 1e-4", 3e-4, block.rate),
        _most("newer sites blocked (lists of 1,000 names or more)", 5e-4, max(newer, default=None)),
        _most("names queried later, blocked", 1e-3, queried.blocked.rate if queried else None),
        _most("names queried later, in review", 1e-2, queried.review.rate if queried else None),
        _count("of the 10,000 most popular, blocked", len(drift.popular_blocked), drift.popular),
    ]


def _families(figures: Figures) -> list[Mark]:
    found = figures.families
    return [
        _number("macro-F1 of the family named", 0.80, found.macro_all if found else None, "≥"),
        _number("AUROC of unknown", 0.90, found.unknown if found else None, "≥"),
    ]


def _cost(figures: Figures) -> list[Mark]:
    cost = figures.speed
    size = sum(cost.files.values())
    return [
        _number("µs, a single name, median", 50, cost.single.median, "≤"),
        _number("µs a name in batches of 64, median", 20, cost.batched.median, "≤"),
        Mark("packaged, bytes", f"≤ {LARGEST:,}", f"{size:,}", size <= LARGEST)
        if size
        else Mark("packaged, bytes", f"≤ {LARGEST:,}", NOT_MEASURED, None),
    ]


def _least(what: str, wanted: float, found: float | None) -> Mark:
    said = NOT_MEASURED if found is None else percent(found)
    return Mark(what, f"≥ {100 * wanted:g} %", said, None if found is None else found >= wanted)


def _most(what: str, wanted: float, found: float | None) -> Mark:
    said = NOT_MEASURED if found is None else percent(found)
    return Mark(what, f"≤ {100 * wanted:g} %", said, None if found is None else found <= wanted)


def _count(what: str, found: int, of: int) -> Mark:
    return (
        Mark(what, "none", str(found), not found) if of else Mark(what, "none", NOT_MEASURED, None)
    )


def _number(what: str, wanted: float, found: float | None, sign: str) -> Mark:
    if found is None:
        return Mark(what, f"{sign} {wanted:g}", NOT_MEASURED, None)
    return Mark(
        what,
        f"{sign} {wanted:g}",
        f"{found:.3g}",
        found >= wanted if sign == "≥" else found <= wanted,
    )


def show(marks: Sequence[Mark]) -> str:
    words = {True: "yes", False: "**no**", None: "–"}
    rows = [[mark.what, mark.wanted, mark.measured, words[mark.reached]] for mark in marks]
    return table(["mark", "wanted", "measured", "reached"], rows)
