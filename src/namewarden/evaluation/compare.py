"""Models side by side, in the figures that all of them have; and how sure a difference is.

Differences are drawn family by family, the same families for both (paired): what is hard for all cancels out. They are
of the product's recipe, which was fitted on the names that the others were; where it was not, of the model measured.
"""

from collections.abc import Sequence

import numpy as np

from namewarden.evaluation.answers import CHOSEN, FED, KNOWN, UNSEEN
from namewarden.evaluation.detection import LEAST, FamilyGroup, counted
from namewarden.evaluation.figures import Comparison, Difference, Figures, Means, ModelRow
from namewarden.evaluation.intervals import Spread, mean_of
from namewarden.evaluation.page import COLUMNS, NOT_MEASURED, between, percent, table

OWN = "own"  # the recipe of the packaged model
GROUPS = (KNOWN, CHOSEN, UNSEEN, FED)


def measure(this: Figures, others: Sequence[Figures]) -> Comparison:
    every = [this, *others]
    ours = [it for it in every if it.about.recipe == OWN and not it.about.learned_from]
    against = [it for it in every if it.about.recipe not in ("", OWN)] if ours else others
    pairs = [(a, b, group) for a in ours or [this] for b in against for group in GROUPS]
    differences = [difference(a, b, group) for a, b, group in pairs]
    return Comparison([row(it) for it in every], [it for it in differences if it])


def row(figures: Figures) -> ModelRow:
    groups = figures.detection.groups
    return ModelRow(
        title(figures),
        {name: _means(groups[name]) for name in GROUPS if name in groups},
        figures.detection.benign,
        figures.speed.single.median,
        figures.speed.batched.median,
        sum(layer.parameters for layer in figures.network),
    )


def title(figures: Figures) -> str:
    return figures.about.title + (", quick run" if figures.about.quick else "")


def _means(group: FamilyGroup) -> Means:
    return Means(len(counted(group.families)), group.means, group.auc.mean)


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
    return Difference(title(ours), title(other), group, len(both), mean_of(rows))


def show(found: Comparison | None) -> str:
    if found is None:
        return f"Other models: {NOT_MEASURED} (`make evaluate-all`).\n"
    return "\n".join([_found(found), _costs(found), *_differences(found)])


def _found(found: Comparison) -> str:
    rows = [
        [it.title, group, *_cells(it.groups[group])]
        for group in GROUPS
        for it in found.models
        if group in it.groups
    ]
    return table(["model", "family mean (95 %, by family)", "families", *COLUMNS, "AUC"], rows)


def _cells(means: Means) -> list[str]:
    shares = [f"{percent(it.mean)} ({between(it.low, it.high)})" for it in means.found]
    return [str(means.families), *shares, f"{means.auc:.4f}"]


def _costs(found: Comparison) -> str:
    benign = [f"benign above, {column}" for column in COLUMNS]
    head = ["model", *benign, "µs single", "µs in 64", "parameters"]
    return table(head, map(_cost, found.models))


def _cost(it: ModelRow) -> list[str]:
    parameters = f"{it.parameters:,}" if it.parameters else "–"
    times = [f"{it.single:.0f}", f"{it.batched:.0f}"]
    return [it.title, *(percent(share.rate) for share in it.benign), *times, parameters]


def _differences(found: Comparison) -> list[str]:
    """A table for each of ours."""
    tables = []
    for ours in dict.fromkeys(it.ours for it in found.differences):
        rows = [
            [it.other, it.group, str(it.families), *map(_points, it.found)]
            for it in found.differences
            if it.ours == ours
        ]
        head = [f"{ours} less …, points (95 %, by family)", "family mean", "families", *COLUMNS]
        tables.append(table(head, rows))
    return tables


def _points(found: Spread) -> str:
    sign = "" if found.low > 0 else " (not beaten)" if found.mean > 0 else " **(worse)**"
    return f"{100 * found.mean:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f}){sign}"
