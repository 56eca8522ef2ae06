"""The protocol, top to bottom: what is measured, in which order, on which names. Read this file first.

Each part is told the names or what was said of them, and nothing else: no part asks another.
"""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from namewarden.detector.label import Labels, dynamic_providers
from namewarden.evaluation import (
    attacks,
    bias,
    buckets,
    calibration,
    detection,
    drift,
    families,
    speed,
)
from namewarden.evaluation.answers import (
    CHOSEN,
    KNOWN,
    SIZES,
    UNSEEN,
    Answers,
    Families,
    ask,
    families_of,
)
from namewarden.evaluation.figures import About, Figures
from namewarden.evaluation.names import WholeNames
from namewarden.evaluation.subject import Subject
from namewarden.training.data import Corpus
from namewarden.training.measure import Logits, sample
from namewarden.training.recipe import Judge

Tell = Callable[[str], None]  # which part comes now
PARTS = 12  # about so many things are told


class Sizes(Struct, frozen=True):
    """How many names: of a family, of a family for the edits, of a sort, for the time; and without attacks."""

    per_family: int = SIZES[0]
    edited: int = 20
    attacks: bool = True
    per_sort: int = 5000
    timed: int = 2000
    rounds: int = 5


QUICK = Sizes(per_family=SIZES[1], edited=2, per_sort=500, timed=300, rounds=3)


def evaluate(
    subject: Subject,
    corpus: Corpus,
    names: WholeNames,
    about: About,
    options: Sizes,
    tell: Tell,
) -> Figures:
    labels = Labels(dynamic_providers(), remembered=0)
    tell("speed")  # first: what is large in memory afterwards is not the resolver's
    cost = speed.measure(
        *_timed(corpus, options.timed), subject.score, labels, subject.files, options.rounds
    )
    answers = ask(subject.judge, corpus, options.per_family, tell)
    asked = families_of(corpus, options.per_family)
    judge, limits = subject.judge, answers.limits
    bands = subject.limits or limits  # actions are by a model's own thresholds
    tell("names that came later")
    later = drift.measure(corpus.queried, names.newer, corpus.popular, judge, bands, labels)
    tell("hard benign names")
    hard = buckets.measure(
        corpus.benign["test"], names.sorts, judge, bands, labels, options.per_sort
    )
    tell("bias")
    biased = _bias(corpus, names, answers, asked)
    tell("calibration")
    sure = _calibration(subject, corpus, answers)
    tell("attacks")
    attacked = _attacks(judge, answers, corpus, asked, options) if options.attacks else None
    tell("families")
    return Figures(
        about=about,
        detection=detection.measure(answers, subject.limits[-1] if subject.limits else None),
        drift=later,
        buckets=hard,
        bias=biased,
        calibration=sure,
        attacks=attacked,
        speed=cost,
        network=subject.layers,
        families=_families(subject, asked, answers, names),
    )


def _attacks(
    judge: Judge,
    answers: Answers,
    corpus: Corpus,
    asked: Mapping[str, Families],
    options: Sizes,
) -> attacks.Attacks:
    return attacks.measure(
        judge,
        answers.limits,
        corpus.popular,
        {*corpus.benign["train"], *corpus.popular},
        {**asked[KNOWN], **_held(asked)},
        options.edited,
    )


def _held(asked: Mapping[str, Families]) -> Families:
    """Families that nothing was learned from, chosen by or not."""
    return {**asked.get(CHOSEN, {}), **asked.get(UNSEEN, {})}


def _bias(
    corpus: Corpus, names: WholeNames, answers: Answers, asked: Mapping[str, Families]
) -> bias.Bias:
    groups = {
        name: (asked[name], answers.groups[name])
        for name in (KNOWN, CHOSEN, UNSEEN)
        if name in asked
    }
    learned, tested = (
        [label for found in corpus.known[side].values() for label in found]
        for side in ("train", "test")
    )
    return bias.measure(
        (corpus.benign["train"], learned),
        (corpus.benign["test"], tested),
        names.tlds,
        (corpus.benign["calibration"], answers.calibration),
        groups,
    )


def _calibration(subject: Subject, corpus: Corpus, answers: Answers) -> calibration.Calibration:
    if subject.p_values:
        p_values = subject.p_values(corpus.benign["test"])
    else:
        p_values = calibration.p_values(answers.calibration, answers.test)
    return calibration.measure(
        answers.test, _joined(answers, KNOWN), _joined(answers, CHOSEN, UNSEEN), p_values
    )


def _joined(answers: Answers, *groups: str) -> Logits:
    parts = [logits for group in groups for logits in answers.groups.get(group, {}).values()]
    return np.concatenate(parts) if parts else np.zeros(0)


def _timed(corpus: Corpus, most: int) -> tuple[list[str], list[str]]:
    """Whole names: as they were asked, and generated."""
    known = [label + ".com" for found in corpus.known["test"].values() for label in found]
    benign = corpus.queried or [label + ".com" for label in corpus.benign["test"]]
    return sample(benign, most), sample(known, most)


def _families(
    subject: Subject, asked: Mapping[str, Families], answers: Answers, names: WholeNames
) -> families.FamilyNaming | None:
    if subject.guess is None:
        return None
    detected = {
        family: (logits >= answers.limits[1]).tolist()
        for family, logits in answers.groups[KNOWN].items()
    }
    held = {group: asked[group] for group in (CHOSEN, UNSEEN) if group in asked}
    return families.measure(
        subject.guess, asked[KNOWN], held, detected, names.whole(), subject.called
    )
