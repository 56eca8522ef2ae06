"""The static split: what share of each family is found at the thresholds, and of benign names wrongly.

A mean counts every family the same. Families of fewer than LEAST names are shown, but are in no mean. Families that
make names of words are a group of their own, inside the others.
"""

from collections.abc import Mapping

import numpy as np
from msgspec import Struct

from namewarden.evaluation.answers import Answers
from namewarden.evaluation.intervals import Share, Spread, mean_of, share
from namewarden.evaluation.page import COLUMNS, between, percent, table
from namewarden.training.measure import Logits, auc, rates

LEAST = 10
WORDS = frozenset({"gozi", "matsnu", "nivdort", "rovnix", "suppobox"})
PARTIAL = 0.01  # the partial area counts false-positive rates up to this


class Family(Struct, frozen=True):
    """Share found at each threshold, of so many names."""

    names: int
    found: list[float]
    auc: float
    partial: float


class FamilyGroup(Struct, frozen=True):
    """Families that the model stands alike to."""

    families: dict[str, Family]
    means: list[Spread]
    auc: Spread
    partial: Spread
    worst: str  # the family found least at 1e-3


class Own(Struct, frozen=True):
    """What the model blocks of its own: benign names as in `Found`, the mean of each group of families."""

    limit: float  # logit
    benign: list[Share]
    families: dict[str, Spread]


class Detection(Struct, frozen=True):
    calibration_names: int
    limits: list[float]  # logits
    resting: list[Share]  # the calibration names at or above each threshold
    benign: list[Share]
    single: list[Share]
    groups: dict[str, FamilyGroup]
    own: Own | None = None  # None: it has no thresholds of its own


def measure(answers: Answers, block: float | None = None) -> Detection:
    """`block`: the logit from which the model itself blocks."""
    groups = {}
    for name, families in answers.groups.items():
        each = {family: judge_family(logits, answers) for family, logits in families.items()}
        groups[name] = each
        groups[f"{name}, of words"] = {k: v for k, v in each.items() if k in WORDS}
    return Detection(
        len(answers.calibration),
        answers.limits,
        _shares(answers.calibration, answers.limits),
        _shares(answers.test, answers.limits),
        _shares(answers.single, answers.limits),
        {name: summed for name, each in groups.items() if (summed := sum_up(each))},
        None if block is None else _own(answers, block, groups),
    )


def _own(answers: Answers, block: float, groups: Mapping[str, Mapping[str, Family]]) -> Own:
    sides = (answers.calibration, answers.test, answers.single)
    means = {}
    for group, families in answers.groups.items():
        found = [rates(families[family], [block]) for family in counted(groups[group])]
        means[group] = mean_of(np.array(found))[0]
    return Own(block, [share(logits >= block) for logits in sides], means)


def judge_family(logits: Logits, answers: Answers) -> Family:
    return Family(
        len(logits),
        rates(logits, answers.limits),
        auc(answers.test, logits),
        partial_area(answers.test, logits),
    )


def sum_up(families: Mapping[str, Family]) -> FamilyGroup | None:
    """None when there is no family."""
    if not families:
        return None
    large = counted(families)
    rows = np.array([[*f.found, f.auc, f.partial] for f in large.values()])
    *means, area, partial = mean_of(rows)
    worst = min(large, key=lambda name: (large[name].found[1], large[name].found[0]))
    return FamilyGroup(dict(families), means, area, partial, worst)


def counted(families: Mapping[str, Family]) -> dict[str, Family]:
    """Those that are in a mean; all, where none has enough names."""
    large = {name: family for name, family in families.items() if family.names >= LEAST}
    return large or dict(families)


def partial_area(benign: Logits, bad: Logits, upto: float = PARTIAL) -> float:
    """The mean share found over all false-positive rates up to `upto`: 1 is perfect, a coin gets upto / 2."""
    ordered = np.sort(benign)
    reached = 1 - np.searchsorted(ordered, bad, "left") / len(ordered)
    return float(np.mean(np.clip(upto - reached, 0, None)) / upto)


def _shares(logits: Logits, limits: list[float]) -> list[Share]:
    return [share(logits >= limit) for limit in limits]


def show(found: Detection) -> str:
    return "\n".join(
        [_thresholds(found), means_table(found.groups), _small(found), _show_own(found.own)]
    )


def _show_own(own: Own | None) -> str:
    if own is None:
        return ""
    rows = [
        *zip(_SIDES, map(_share, own.benign), strict=True),
        *((f"{group} families, mean", _spread(each)) for group, each in own.families.items()),
    ]
    return table([f"blocked by the model's own threshold, logit {own.limit:.4f}", "share"], rows)


def means_table(groups: Mapping[str, FamilyGroup]) -> str:
    rows = [[name, *_group(group)] for name, group in groups.items()]
    head = ["family mean (95 %, by family)", "families", *COLUMNS, "AUC", "partial AUC", "worst"]
    return table(head, rows)


def families_table(groups: Mapping[str, FamilyGroup]) -> str:
    rows = [
        [name, family, f"{it.names:,}", *map(percent, it.found), f"{it.auc:.4f}"]
        for name, group in groups.items()
        if ", of words" not in name
        for family, it in group.families.items()
    ]
    return table(["", "family", "names", *COLUMNS, "AUC"], rows)


def _group(group: FamilyGroup) -> list[str]:
    means = [_spread(each) for each in group.means]
    areas = [f"{group.auc.mean:.4f}", f"{group.partial.mean:.4f}"]
    return [str(len(counted(group.families))), *means, *areas, group.worst]


def _thresholds(found: Detection) -> str:
    rows = [
        ["threshold, logit", *(f"{limit:.4f}" for limit in found.limits)],
        [f"of {found.calibration_names:,} names that set it", *map(_share, found.resting)],
        [f"of {found.benign[0].names:,} benign names of two makers", *map(_share, found.benign)],
        [f"of {found.single[0].names:,} names that one maker lists", *map(_share, found.single)],
    ]
    few = (
        ""
        if found.calibration_names >= 100_000
        else "Fewer than 100,000 names set the thresholds. "
    )
    return f"{few}Shares above the thresholds with their Clopper-Pearson intervals.\n\n" + table(
        ["benign names", *COLUMNS], rows
    )


_SIDES = ("names that set it", "benign names of two makers", "names that one maker lists")


def _spread(found: Spread) -> str:
    return f"{percent(found.mean)} ({between(found.low, found.high)})"


def _share(found: Share) -> str:
    return f"{percent(found.rate)} ({between(found.low, found.high)})"


def _small(found: Detection) -> str:
    small = [
        f"{family} ({it.names})"
        for name, group in found.groups.items()
        if ", of words" not in name
        for family, it in group.families.items()
        if family not in counted(group.families)
    ]
    return f"Too few names to be in a mean: {', '.join(small)}.\n" if small else ""
