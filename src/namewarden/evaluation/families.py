"""Which family: does the model's answer name it, and does it know when it knows none?

`Guess`: for each label the family said ("" or "unknown": none) and how sure the model is that it knows the family.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from namewarden.evaluation.answers import Families
from namewarden.evaluation.detection import LEAST
from namewarden.evaluation.page import table
from namewarden.training.measure import Logits, auc

Guess = Callable[[Sequence[str]], tuple[list[str], Logits]]
NONE = frozenset({"", "unknown"})


class Found(Struct, frozen=True):
    classes: int
    macro_all: float  # F1, mean over families, on all names
    macro_detected: float  # on names in review or blocked
    unknown: float | None  # area: names of known families are surer than those of unseen ones
    f1: dict[str, float]


def measure(
    guess: Guess,
    known: Families,
    unseen: Families,
    detected: Mapping[str, Sequence[bool]],
    answered: Callable[[str], str] = lambda family: family,
) -> Found:
    """`answered`: what the model calls a family (those of one generator may be one to it)."""
    large = {family: labels for family, labels in known.items() if len(labels) >= LEAST}
    truth = [answered(family) for family, labels in large.items() for _ in labels]
    said, sure = guess([label for labels in large.values() for label in labels])
    here = np.array([each for family in large for each in detected[family]], bool)
    f1 = scores(truth, said)
    kept = [at for at in range(len(truth)) if here[at]]
    found = scores([truth[at] for at in kept], [said[at] for at in kept])
    other = [label for labels in unseen.values() for label in labels]
    unknown = auc(guess(other)[1], sure) if other and len(sure) else None
    return Found(len(f1), _mean(f1), _mean(found), unknown, f1)


def scores(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """F1 of each family that is true of something."""
    pairs = list(zip(truth, said, strict=True))
    found = {}
    for family in sorted(set(truth)):
        right = sum(t == s == family for t, s in pairs)
        found[family] = 2 * right / (truth.count(family) + said.count(family)) if right else 0.0
    return found


def _mean(found: Mapping[str, float]) -> float:
    return sum(found.values()) / len(found) if found else 0.0


def show(found: Found) -> str:
    unknown = "–" if found.unknown is None else f"{found.unknown:.4f}"
    worst = sorted(found.f1, key=lambda family: found.f1[family])[:8]
    rows = [
        ["families", str(found.classes)],
        ["macro-F1, all names", f"{found.macro_all:.4f}"],
        ["macro-F1, names in review or blocked", f"{found.macro_detected:.4f}"],
        ["AUROC of unknown, unseen families", unknown],
        ["least", ", ".join(f"{family} {found.f1[family]:.2f}" for family in worst)],
    ]
    return table(["which family", ""], rows)
