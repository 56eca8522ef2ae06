"""Benign names that came after: what lists of 2025-12 to 2026-07 hold and older ones do not, what clients asked, and
the most popular, of which none may be blocked."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from namewarden.detector.label import Labels
from namewarden.evaluation.intervals import Share, share
from namewarden.evaluation.page import NOT_MEASURED, between, percent, table
from namewarden.evaluation.product import Outcome, judge_names
from namewarden.training.recipe import Judge

# The load at which false blocks are counted: a site of some ten thousand clients. How many of its queries are for
# names not asked before on that day is an assumption; resolvers of that size see one in twenty to one in a hundred.
QUERIES = 10_000_000
DISTINCT = 200_000


class Newer(Struct, frozen=True):
    """Labels on a newer list and on none of the older ones."""

    blocked: Share
    at_least_review: Share


class Drift(Struct, frozen=True):
    queried: Outcome
    newer: dict[str, Newer]
    popular: int
    popular_blocked: list[str]
    popular_review: list[str]

    @property
    def false_blocks(self) -> list[float]:
        """Names a day at the load above, with both ends of the interval."""
        blocked = self.queried.blocked
        return [DISTINCT * each for each in (blocked.rate, blocked.low, blocked.high)]


def measure(
    queried: Sequence[str],
    newer: Mapping[str, Sequence[str]],
    popular: Sequence[str],
    judge: Judge,
    limits: Sequence[float],
    labels: Labels,
) -> Drift:
    logits = judge(popular).tolist()
    return Drift(
        judge_names(queried, judge, limits, labels),
        {name: _newer(found, judge, limits) for name, found in newer.items() if found},
        len(popular),
        [label for label, logit in zip(popular, logits, strict=True) if logit >= limits[2]],
        [label for label, at in zip(popular, logits, strict=True) if limits[1] <= at < limits[2]],
    )


def _newer(labels: Sequence[str], judge: Judge, limits: Sequence[float]) -> Newer:
    logits = judge(labels)
    return Newer(share(logits >= limits[2]), share(logits >= limits[1]))


def show(found: Drift) -> str:
    queried = found.queried
    rows = [
        ["names as clients asked them, 2026-07", *_shares(queried.blocked, queried.review)],
        *(
            [f"labels new in {name}", *_shares(it.blocked, it.at_least_review)]
            for name, it in found.newer.items()
        ),
    ]
    head = [
        "first seen later, no label learned from",
        "names",
        "blocked",
        "review (new: or blocked)",
    ]
    return "\n".join([table(head, rows), _load(found), _popular(found)])


def _shares(blocked: Share, review: Share) -> list[str]:
    if not blocked.names:
        return ["0", NOT_MEASURED, NOT_MEASURED]
    cells = (f"{percent(s.rate)} ({between(s.low, s.high)})" for s in (blocked, review))
    return [f"{blocked.names:,}", *cells]


def _load(found: Drift) -> str:
    if not found.queried.blocked.names:
        return f"False blocks a day: {NOT_MEASURED}.\n"
    mean, low, high = found.false_blocks
    return (
        f"False blocks a day at {QUERIES:,} queries for {DISTINCT:,} different names (an assumption: one query in "
        f"{QUERIES // DISTINCT} is for a name not yet asked that day), by the share of the queried names: "
        f"**{mean:.0f} names** ({low:.0f}–{high:.0f}) without guard list and decisions. "
        f"{_queried(found)}\n"
    )


def _queried(found: Drift) -> str:
    queried = found.queried
    labels = ", ".join(f"`{label}`" for label in queried.labels) or "none"
    return (
        f"Of the queried names {queried.unscored:,} are of kinds that are never scored. The labels blocked, which "
        f"may be malware's as well as a site's: {labels}."
    )


def _popular(found: Drift) -> str:
    if not found.popular:
        return f"The most popular names: {NOT_MEASURED}.\n"
    blocked = ", ".join(f"`{label}`" for label in found.popular_blocked) or "none"
    review = ", ".join(f"`{label}`" for label in found.popular_review) or "none"
    return (
        f"Of the {found.popular:,} labels of the 10,000 most popular names, nearly all learned from, blocked: "
        f"{blocked}; in review: {review}.\n"
    )
