"""Does the model find names by what data happen to differ in? Probes that know one property only, and thresholds
fixed anew on benign names that have the generated ones' lengths, digits or hyphens.

A probe's area says how much the property gives away *in these data*; the model never sees the top-level domain.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from namewarden.evaluation.answers import Families
from namewarden.evaluation.detection import LEAST
from namewarden.evaluation.intervals import Spread, mean_of
from namewarden.evaluation.names import Tlds
from namewarden.evaluation.page import COLUMNS, NOT_MEASURED, between, percent, table
from namewarden.training.measure import RATES, Logits, auc, rates

Property = Callable[[str], int]
PROPERTIES: dict[str, Property] = {
    "length": len,
    "digits": lambda label: sum(letter.isdigit() for letter in label),
    "hyphens": lambda label: label.count("-"),
}


class Matched(Struct, frozen=True):
    """What is found of families at thresholds of matched benign names."""

    limits: list[float]
    effective: float  # so many equal names would be as sure (Kish)
    uncovered: float  # share of generated names like which no benign one is
    means: dict[str, list[Spread]]  # group → mean over families


class Bias(Struct, frozen=True):
    probes: dict[str, float | None]  # property → area under the curve
    matched: dict[str, Matched]


def measure(
    learned: tuple[Sequence[str], Sequence[str]],
    tested: tuple[Sequence[str], Sequence[str]],
    tlds: Tlds | None,
    calibration: tuple[Sequence[str], Logits],
    groups: Mapping[str, tuple[Families, Mapping[str, Logits]]],
) -> Bias:
    """(benign, generated) labels to learn probes from and to test them on; groups: labels and what was said."""
    probes: dict[str, float | None] = {"top-level domain": None} | {
        name: probe([_count(labels, of) for labels in learned], [_count(labels, of) for labels in tested])
        for name, of in PROPERTIES.items()
    }  # fmt: skip
    if tlds:
        learned_from, tested_on = (
            [tlds.benign[half], tlds.generated[half]] for half in ("train", "test")
        )
        probes["top-level domain"] = probe(learned_from, tested_on)
    matched = {name: match(of, calibration, groups) for name, of in PROPERTIES.items()}
    return Bias(probes, {name: it for name, it in matched.items() if it})


def _count(labels: Sequence[str], of: Property) -> dict[str, int]:
    return Counter(str(of(label)) for label in labels)


def probe(learned: Sequence[Mapping[str, int]], tested: Sequence[Mapping[str, int]]) -> float:
    """The area of a classifier that knows how often each value is benign and generated, and nothing else."""
    values = sorted({value for counts in (*learned, *tested) for value in counts})
    benign, generated = (np.array([1.0 + it.get(value, 0) for value in values]) for it in learned)
    odds = np.log(generated / generated.sum()) - np.log(benign / benign.sum())
    sides = [np.repeat(odds, [it.get(value, 0) for value in values]) for it in tested]
    return auc(sides[0], sides[1])


def match(
    of: Property,
    calibration: tuple[Sequence[str], Logits],
    groups: Mapping[str, tuple[Families, Mapping[str, Logits]]],
) -> Matched | None:
    """Benign names weigh as much as generated names are like them; None where no benign one is like any."""
    labels, logits = calibration
    generated = [
        label for families, _ in groups.values() for found in families.values() for label in found
    ]
    weights, uncovered = weigh([of(label) for label in labels], [of(label) for label in generated])
    if not weights.any():
        return None
    limits = weighted_thresholds(logits, weights)
    means = {
        group: mean_of(np.array([rates(logits, limits) for logits in _counted(found)]))
        for group, (_, found) in groups.items()
    }
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    return Matched(limits, effective, uncovered, means)


def _counted(families: Mapping[str, Logits]) -> list[Logits]:
    """As `detection.counted`, so that both means are over the same families."""
    every = list(families.values())
    return [logits for logits in every if len(logits) >= LEAST] or every


def weigh(benign: Sequence[int], generated: Sequence[int]) -> tuple[NDArray[np.float64], float]:
    """A weight for each benign name, that together they are spread as the generated; and who has no like."""
    have, want = Counter(benign), Counter(generated)
    weights = np.array([want[value] / have[value] for value in benign])
    lonely = sum(count for value, count in want.items() if value not in have)
    return weights, lonely / max(len(generated), 1)


def weighted_thresholds(logits: Logits, weights: NDArray[np.float64]) -> list[float]:
    """As `training.measure.thresholds`, where a name may count more or less than one."""
    order = np.argsort(logits)[::-1]
    above = np.cumsum(weights[order]) / weights.sum()
    places = [
        min(int(np.searchsorted(above, rate * (1 + 1e-9), "right")), len(logits) - 1)
        for rate in RATES
    ]
    return [float(np.nextafter(logits[order[place]], np.inf)) for place in places]


def show(found: Bias) -> str:
    probes = ", ".join(
        f"{name} {NOT_MEASURED if area is None else f'{area:.3f}'}"
        for name, area in found.probes.items()
    )
    rows = [
        [f"{group}, by {name}", *map(_spread, means), f"{it.effective:,.0f}", percent(it.uncovered)]
        for name, it in found.matched.items()
        for group, means in it.means.items()
    ]
    head = ["family mean at matched thresholds", *COLUMNS, "names they rest on", "without a like"]
    return (
        f"Area under the curve of classifiers that know one property only (0.5: no clue): {probes}.\n\n"
        + table(head, rows)
    )


def _spread(found: Spread) -> str:
    return f"{percent(found.mean)} ({between(found.low, found.high)})"
