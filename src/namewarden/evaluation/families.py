"""Which family: does the model's answer name it, and does it know when it knows none?

`Guess`: for each name the family said ("" or "unknown": none), how sure the model is that it knows the family, and how
probable that family is among all, by which the product names. A name is a label with its suffix, as the product names
families; the label alone where the lists are not at hand.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from namewarden.evaluation.answers import Families
from namewarden.evaluation.detection import LEAST
from namewarden.evaluation.page import table
from namewarden.training.measure import Logits, auc

Guess = Callable[[Sequence[str]], tuple[list[str], Logits, Logits]]


class FamilyNaming(Struct, frozen=True):
    classes: int
    macro_all: float  # F1, mean over families, on all names
    macro_detected: float  # on names in review or blocked
    unknown: float | None  # area: names of known families are surer than those of unseen ones
    f1: dict[str, float]
    macro_alone: float | None = None  # on all names, by the label alone
    unknown_of: dict[str, float] = {}  # the same area for each group of unseen families
    whole: int | None = None  # so many of the known names had their suffix
    unknown_named: float | None = None  # as `unknown`, by the probability alone


def measure(
    guess: Guess,
    known: Families,
    unseen: Mapping[str, Families],
    detected: Mapping[str, Sequence[bool]],
    whole: Mapping[str, str],
    answered: Callable[[str], str] = lambda family: family,
) -> FamilyNaming:
    """`unseen` by group; `whole`: label → with its suffix; `answered`: what the model calls a family (those of one
    generator may be one to it)."""
    large = {family: labels for family, labels in known.items() if len(labels) >= LEAST}
    truth = [answered(family) for family, labels in large.items() for _ in labels]
    labels = [label for found in large.values() for label in found]
    predicted, sure, share = guess([whole.get(label, label) for label in labels])
    here = np.array([each for family in large for each in detected[family]], bool)
    f1 = scores(truth, predicted)
    kept = [at for at in range(len(truth)) if here[at]]
    found = scores([truth[at] for at in kept], [predicted[at] for at in kept])
    alone = scores(truth, guess(labels)[0])
    held = {group: _of(guess, families, whole) for group, families in unseen.items()}
    held = {group: each for group, each in held.items() if len(each[0]) and len(labels)}
    areas = {group: auc(others, sure) for group, (others, _) in held.items()}
    here_whole = sum(label in whole for label in labels)
    return FamilyNaming(
        len(f1),
        _mean(f1),
        _mean(found),
        _auc([others for others, _ in held.values()], sure),
        f1,
        _mean(alone),
        areas,
        here_whole,
        _auc([others for _, others in held.values()], share),
    )


def _of(guess: Guess, families: Families, whole: Mapping[str, str]) -> tuple[Logits, Logits]:
    return guess([whole.get(label, label) for found in families.values() for label in found])[1:]


def _auc(others: Sequence[Logits], known: Logits) -> float | None:
    return auc(np.concatenate(others), known) if others else None


def scores(truth: Sequence[str], predicted: Sequence[str]) -> dict[str, float]:
    """F1 of each family that is true of something."""
    pairs = list(zip(truth, predicted, strict=True))
    found = {}
    for family in sorted(set(truth)):
        right = sum(t == s == family for t, s in pairs)
        found[family] = (
            2 * right / (truth.count(family) + predicted.count(family)) if right else 0.0
        )
    return found


def _mean(found: Mapping[str, float]) -> float:
    return sum(found.values()) / len(found) if found else 0.0


def show(found: FamilyNaming) -> str:
    worst = sorted(found.f1, key=lambda family: found.f1[family])[:8]
    rows = [
        ["families", str(found.classes)],
        ["macro-F1, all names", f"{found.macro_all:.4f}"],
        *_alone(found),
        ["macro-F1, names in review or blocked", f"{found.macro_detected:.4f}"],
        ["AUROC of unknown, unseen families", _area(found.unknown)],
        *([f"of these, {group}", _area(area)] for group, area in found.unknown_of.items()),
        *_named(found),
        ["least", ", ".join(f"{family} {found.f1[family]:.2f}" for family in worst)],
    ]
    return table(["which family", ""], rows) + _how(found)


def _named(found: FamilyNaming) -> list[list[str]]:
    if found.unknown_named is None:
        return []
    return [["the same of all, by the probability alone", _area(found.unknown_named)]]


def _alone(found: FamilyNaming) -> list[list[str]]:
    return [] if not found.whole else [["macro-F1, by the label alone", f"{found.macro_alone:.4f}"]]


def _area(area: float | None) -> str:
    return "–" if area is None else f"{area:.4f}"


def _how(found: FamilyNaming) -> str:
    """By what families were named; nothing of figures made before that was a question."""
    if found.whole is None:
        return ""
    if not found.whole:
        return "\nNamed by the label alone: the lists, which have the suffixes, were not at hand.\n"
    return f"\nNamed by label and suffix, as the product does: {found.whole:,} names.\n"
