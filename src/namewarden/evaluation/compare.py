"""Models side by side, on the families that all of them were measured on; and how sure a difference is.

Differences are drawn family by family, the same families for both (paired): what is hard for all cancels out.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from namewarden.evaluation.answers import CHOSEN, KNOWN, UNSEEN
from namewarden.evaluation.detection import LEAST
from namewarden.evaluation.figures import Figures
from namewarden.evaluation.intervals import Spread, mean_of
from namewarden.evaluation.page import COLUMNS, NOT_MEASURED, percent, table

GROUPS = (KNOWN, CHOSEN, UNSEEN)


class Difference(Struct, frozen=True):
    """Ours less the other's, mean over the families of both."""

    families: int
    found: list[Spread]

    @property
    def beaten(self) -> list[bool]:
        return [spread.low > 0 for spread in self.found]


def difference(ours: Figures, other: Figures, group: str) -> Difference | None:
    """None when they have no family of the group in common."""
    a, b = (it.detection.groups.get(group) for it in (ours, other))
    if a is None or b is None:
        return None
    both = sorted(
        name
        for name in a.families.keys() & b.families.keys()
        if min(a.families[name].names, b.families[name].names) >= LEAST
    )
    if not both:
        return None
    rows = np.array([np.subtract(a.families[n].found, b.families[n].found) for n in both])
    return Difference(len(both), mean_of(rows))


def show(ours: Figures, others: Sequence[Figures]) -> str:
    return "\n".join([_side_by_side([ours, *others]), _differences(ours, others)])


def _side_by_side(every: Sequence[Figures]) -> str:
    rows = [
        [_title(figures), group, *_means(figures, group), _area(figures, group)]
        for group in GROUPS
        for figures in every
    ]
    costs = [
        [
            _title(it),
            *(percent(share.rate) for share in it.detection.benign),
            f"{it.speed.single.median:.0f}",
            f"{it.speed.batched.median:.0f}",
            f"{sum(layer.parameters for layer in it.network):,}" if it.network else "–",
        ]
        for it in every
    ]
    return "\n".join(
        [
            table(["model", "family mean", *COLUMNS, "AUC"], rows),
            table(["model", *(f"benign above, {c}" for c in COLUMNS), "µs single", "µs in 64", "parameters"], costs),
        ]
    )  # fmt: skip


def _title(figures: Figures) -> str:
    return figures.about.title + (", quick run" if figures.about.quick else "")


def _means(figures: Figures, group: str) -> list[str]:
    found = figures.detection.groups.get(group)
    return [percent(it.mean) for it in found.means] if found else [NOT_MEASURED] * 3


def _area(figures: Figures, group: str) -> str:
    found = figures.detection.groups.get(group)
    return f"{found.auc.mean:.4f}" if found else "–"


def _differences(ours: Figures, others: Sequence[Figures]) -> str:
    rows = []
    for other in others:
        for group in GROUPS:
            if found := difference(ours, other, group):
                cells = [_points(it) for it in found.found]
                rows.append([_title(other), group, str(found.families), *cells])
    head = [f"{_title(ours)} less …, points (95 %)", "family mean", "families", *COLUMNS]
    return table(head, rows)


def _points(found: Spread) -> str:
    sign = "" if found.low > 0 else " (not beaten)" if found.mean > 0 else " **(worse)**"
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f}){sign}"
