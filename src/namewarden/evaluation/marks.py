"""What a model must reach, each mark with what was measured beside it; nothing here changes the exit status."""

from collections.abc import Sequence

from namewarden.evaluation import seed_task
from namewarden.evaluation.answers import KNOWN, UNSEEN
from namewarden.evaluation.detection import FamilyGroup
from namewarden.evaluation.figures import Figures, ModelMark
from namewarden.evaluation.page import NOT_MEASURED, between, percent, table

# Shares found, family means, at 1e-2, 1e-3, 1e-4.
FOUND = {KNOWN: (0.95, 0.85, 0.50), UNSEEN: (0.80, 0.60)}
WITHOUT = " (its recipe without them)"
BEATEN = "every baseline beaten at 1e-2 and 1e-3 on every set"
MARGIN = 0.03  # of the seed's names
RATES = ("1e-2", "1e-3", "1e-4")
LARGEST = 1_000_000


def judge(figures: Figures) -> list[ModelMark]:
    parts = (_found, _later, _families, _beside, _cost, _seed)
    return [mark for part in parts for mark in part(figures)]


def _found(figures: Figures) -> list[ModelMark]:
    marks = []
    for group, wanted in FOUND.items():
        found, who = _group(figures, group)
        for place, least in enumerate(wanted):
            mean = found.means[place].mean if found else None
            marks.append(_least(f"{group} families, found at {RATES[place]}{who}", least, mean))
    return marks


def _group(figures: Figures, name: str) -> tuple[FamilyGroup | None, str]:
    """Of the model itself; what it was not kept from, of its recipe without them."""
    if name in figures.detection.groups or not figures.held:
        return figures.detection.groups.get(name), ""
    return figures.held.groups.get(name), WITHOUT


def _later(figures: Figures) -> list[ModelMark]:
    drift, own = figures.drift, figures.detection.own
    blocked = own.benign[1] if own else figures.detection.benign[2]
    newer = [it.blocked.rate for it in drift.newer.values() if it.blocked.names >= 1000]
    queried = drift.queried if drift.queried.blocked.names else None
    return [
        _most("benign test names blocked", 3e-4, blocked.rate),
        _most("newer sites blocked (lists of 1,000 names or more)", 5e-4, max(newer, default=None)),
        _most("names queried later, blocked", 1e-3, queried.blocked.rate if queried else None),
        _most("names queried later, in review", 1e-2, queried.review.rate if queried else None),
        _count("of the 10,000 most popular, blocked", len(drift.popular_blocked), drift.popular),
    ]


def _families(figures: Figures) -> list[ModelMark]:
    found = figures.families
    unknown, who = (found.unknown if found else None), ""
    if unknown is None and figures.held:
        unknown, who = figures.held.unknown, WITHOUT
    return [
        _number("macro-F1 of the family named", 0.80, found.macro_all if found else None, "≥"),
        _number(f"AUROC of unknown{who}", 0.90, unknown, "≥"),
    ]


def _beside(figures: Figures) -> list[ModelMark]:
    """At 1e-2 and 1e-3, on every set: how many intervals of differences are above zero."""
    differences = figures.beside.differences if figures.beside else []
    if not differences:
        return [ModelMark(BEATEN, "all", NOT_MEASURED, None)]
    marks = []
    for ours in dict.fromkeys(it.ours for it in differences):
        surely = [sure for it in differences if it.ours == ours for sure in it.beaten[:2]]
        measured = f"{sum(surely)} of {len(surely)} differences"
        marks.append(ModelMark(f"{BEATEN} ({ours})", "all", measured, all(surely)))
    return marks


def _seed(figures: Figures) -> list[ModelMark]:
    """The seed's promise is kept where it lies in the interval."""
    results = figures.seed_task
    margins = seed_task.margins(results)
    first = next((it.test for it in results if it.split == seed_task.IN_ORDER), None)
    measured = (
        f"{percent(first.rate)} ({between(first.low, first.high)})" if first else NOT_MEASURED
    )
    kept = first.low <= seed_task.PROMISED <= first.high if first else None
    wanted = f"{100 * seed_task.PROMISED:g} % in the interval"
    return [
        ModelMark("the seed network on its 500 + 500 names", wanted, measured, kept),
        _margin("at random", margins.get(seed_task.RANDOM)),
        _margin("by registrable domain", margins.get(seed_task.BY_DOMAIN)),
    ]


def _margin(how: str, found: float | None) -> ModelMark:
    measured = NOT_MEASURED if found is None else f"{100 * found:+.1f} points"
    reached = None if found is None else found >= MARGIN
    what = f"ours above the seed network on the seed's lists, {how}"
    return ModelMark(what, f"≥ {100 * MARGIN:g} points", measured, reached)


def _cost(figures: Figures) -> list[ModelMark]:
    cost = figures.speed
    size = sum(cost.files.values())
    return [
        _number("µs, a single name, median", 50, cost.single.median, "≤"),
        _number("µs a name in batches of 64, median", 20, cost.batched.median, "≤"),
        ModelMark("packaged, bytes", f"≤ {LARGEST:,}", f"{size:,}", size <= LARGEST)
        if size
        else ModelMark("packaged, bytes", f"≤ {LARGEST:,}", NOT_MEASURED, None),
    ]


def _least(what: str, wanted: float, found: float | None) -> ModelMark:
    measured = NOT_MEASURED if found is None else percent(found)
    return ModelMark(
        what, f"≥ {100 * wanted:g} %", measured, None if found is None else found >= wanted
    )


def _most(what: str, wanted: float, found: float | None) -> ModelMark:
    measured = NOT_MEASURED if found is None else percent(found)
    return ModelMark(
        what, f"≤ {100 * wanted:g} %", measured, None if found is None else found <= wanted
    )


def _count(what: str, found: int, of: int) -> ModelMark:
    return (
        ModelMark(what, "none", str(found), not found)
        if of
        else ModelMark(what, "none", NOT_MEASURED, None)
    )


def _number(what: str, wanted: float, found: float | None, sign: str) -> ModelMark:
    if found is None:
        return ModelMark(what, f"{sign} {wanted:g}", NOT_MEASURED, None)
    return ModelMark(
        what,
        f"{sign} {wanted:g}",
        f"{found:.3g}",
        found >= wanted if sign == "≥" else found <= wanted,
    )


def show(marks: Sequence[ModelMark]) -> str:
    words = {True: "yes", False: "**no**", None: "–"}
    rows = [[mark.what, mark.wanted, mark.measured, words[mark.reached]] for mark in marks]
    return table(["mark", "wanted", "measured", "reached"], rows)
