"""What every scorer must keep, whatever it is made of. Call `check(scorer)`."""

import math
import random

from msgspec.structs import replace

from namewarden.detector.bands import band_of, probability
from namewarden.detector.score import Scorer
from namewarden.query import Score

ODD = [
    "", "-", "_", "__", "a", "xn--", "xn--bcher-kva", "xn--80ak6aa92e", "0", "0" * 63, "a" * 63, "q" * 300,
    "_dmarc", "a_b", "\\000", "\\255\\000", "bücher", "日本語", "\x00", "\n", "a.b", ".", " ",
    "EXAMPLE", "Example", "x" * 64, "x" * 253, "xn--" + "a" * 59, "\x7f", "\x1b[2J", "\u200b", "\ud800", "é" * 63,
    "-" * 63, "\U0001f600",
]  # fmt: skip
PLAIN = ["example", "google", "xjq7k2vbnq", "kctcynooqtglbwk", "weather", "d111abcdef8"]


def check(scorer: Scorer) -> None:
    labels = made_up() + ODD + PLAIN
    first = scorer.score_batch(labels)
    _one_each(labels, first, scorer)
    _bounded(first, scorer)
    _deterministic(labels, first, scorer)
    _order_free(labels, first, scorer)
    _blind_to_the_suffix(first, labels, scorer)
    assert scorer.score_batch([]) == []


def made_up(count: int = 150) -> list[str]:
    dice = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
    return ["".join(dice.choices(letters, k=dice.randint(1, 63))) for _ in range(count)]


def _one_each(labels: list[str], scores: list[Score], scorer: Scorer) -> None:
    assert len(scores) == len(labels)
    assert len(scorer.model) == 12 and int(scorer.model, 16) >= 0
    assert {score.model for score in scores} == {scorer.model}


def _bounded(scores: list[Score], scorer: Scorer) -> None:
    for score in scores:
        assert 0.0 < score.probability < 1.0
        assert 0.0 < score.p_value <= 1.0
        assert math.isfinite(score.logit)
        assert score.probability == probability(score.logit)
        assert score.band == band_of(score.logit, scorer.thresholds)
    distinct = {score.logit for score in scores}
    assert len({score.probability for score in scores}) == len(distinct), (
        "ties where there were none"
    )


def _deterministic(labels: list[str], first: list[Score], scorer: Scorer) -> None:
    assert scorer.score_batch(labels) == first
    assert [scorer.score(label) for label in labels] == first


def _order_free(labels: list[str], first: list[Score], scorer: Scorer) -> None:
    """To the last bit: backwards, alone, and in other company."""
    assert scorer.score_batch(labels[::-1]) == first[::-1]
    for label, score in list(zip(labels, first, strict=True))[::9]:
        assert scorer.score_batch([label]) == [score]
        assert scorer.score_batch(["example", label, "q" * 40])[1] == score


def _blind_to_the_suffix(first: list[Score], labels: list[str], scorer: Scorer) -> None:
    """But for the family."""
    for suffix in ("com", "co.uk", "\x1b[2J", "x" * 300):
        found = scorer.score_batch([f"{label.partition('.')[0]}.{suffix}" for label in labels])
        alone = [replace(score, family="") for score in first]
        assert [replace(score, family="") for score in found] == alone, "the suffix is judged"
