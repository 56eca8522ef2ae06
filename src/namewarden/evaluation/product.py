"""Whole names judged as the product judges them: the label that is scored, the bands, the action. No guard list."""

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct

from namewarden.detector.bands import Thresholds, band_of, probability
from namewarden.detector.judge import ModelPolicy, judge
from namewarden.detector.label import Labels, Scorable, Unscored
from namewarden.evaluation.intervals import Share, share_of
from namewarden.query import Action, Score
from namewarden.training.recipe import Judge

LISTED = 50
Scored = Callable[[str], Scorable | Unscored]


class Outcome(Struct, frozen=True):
    """What became of so many names."""

    unscored: int
    blocked: Share
    review: Share
    reached: list[Share]  # scored labels at or above each threshold, whatever the action
    labels: list[str]  # blocked ones, each once, the first of them


def judge_names(
    names: Sequence[str], judge: Judge, limits: Sequence[float], labels: Labels
) -> Outcome:
    whats = [labels.scored(name) for name in names]
    scorable = [what for what in whats if isinstance(what, Scorable)]
    logits = judge([what.label for what in scorable])
    done = [
        action_of(what, logit, Thresholds(*limits))
        for what, logit in zip(scorable, logits.tolist(), strict=True)
    ]
    actions = Counter(done)
    blocked = [what.label for what, action in zip(scorable, done, strict=True) if action == "block"]
    return Outcome(
        len(names) - len(scorable),
        share_of(actions["block"], len(names)),
        share_of(actions["review"], len(names)),
        [share_of(int((logits >= limit).sum()), len(names)) for limit in limits],
        list(dict.fromkeys(blocked))[:LISTED],
    )


def action_of(what: Scorable | Unscored, logit: float, limits: Thresholds) -> Action:
    """In mode enforce, by the model alone."""
    score = Score(probability(logit), logit, band_of(logit, limits), "", "")
    return judge(what, score, limits, ModelPolicy()).action
