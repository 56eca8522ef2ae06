"""What the model says about every label of the corpus, asked once; all but the attacks are measured on it."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from namewarden.training.data import Corpus
from namewarden.training.measure import Logits, sample, thresholds
from namewarden.training.recipe import Judge

SIZES = (2000, 200)  # labels of a family at most: of a whole run, of a quick one
KNOWN, CHOSEN, UNSEEN, FED = "known", "chosen by", "unseen", "fed"
Families = Mapping[str, Sequence[str]]


class Answers(Struct, frozen=True):
    """Calibrated logits. `groups`: of families learned from, kept away, and known from malware feeds alone."""

    limits: list[float]  # for the false-positive rates 1e-2, 1e-3, 1e-4
    calibration: Logits
    test: Logits
    single: Logits
    groups: dict[str, dict[str, Logits]]


def ask(
    judge: Judge, corpus: Corpus, most: int, told: Callable[[str], None] = lambda what: None
) -> Answers:
    """At most so many labels of a family; of the benign ones all."""
    told("benign names")
    calibration = judge(corpus.benign["calibration"])
    test, single = judge(corpus.benign["test"]), judge(corpus.single)
    groups = {}
    for group, families in families_of(corpus, most).items():
        told(f"families, {group}")
        groups[group] = {family: judge(labels) for family, labels in families.items()}
    return Answers(thresholds(calibration), calibration, test, single, groups)


def families_of(corpus: Corpus, most: int) -> dict[str, dict[str, list[str]]]:
    """The labels that are asked about, by group and family."""
    groups = {
        KNOWN: corpus.known["test"],
        CHOSEN: corpus.choose,
        UNSEEN: corpus.unseen,
        FED: corpus.fed,
    }
    return {
        group: {family: sample(labels, most) for family, labels in sorted(families.items())}
        for group, families in groups.items()
        if families
    }
