"""The cheapest attacks, at the thresholds fixed on clean benign names: what is still found.

CharBot (Peck 2019): two random characters of a popular label are replaced. One edit: every substitution, insertion and
deletion of one character, exhaustively, so that "holds" is a certificate for that name. Hyphens (Drichel 2024): one or
two put in. An upper limit stands over CharBot: such names are malicious by definition only.
"""

import random
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from namewarden.evaluation.answers import Families
from namewarden.evaluation.intervals import Share, share
from namewarden.evaluation.page import COLUMNS, NOT_MEASURED, between, percent, table
from namewarden.training.measure import Logits, sample
from namewarden.training.recipe import Judge

SEED = 20261121
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SHORTEST_VICTIM = 6
LONGEST = 63


class Attacked(Struct, frozen=True):
    """Names before and after; `holds`: of those found before, the share still found."""

    before: list[Share]
    after: list[Share]
    holds: list[Share]


class Attacks(Struct, frozen=True):
    charbot: list[Share]
    one_edit: Attacked | None
    edits: int  # how many edited names were tried
    one_hyphen: Attacked | None
    two_hyphens: Attacked | None


def measure(
    judge: Judge,
    limits: Sequence[float],
    popular: Sequence[str],
    benign: set[str],
    families: Families,
    each: int,
) -> Attacks:
    """`each`: names of a family for the exhaustive edits; ten times as many for the hyphens."""
    dice = random.Random(SEED)
    few = [label for labels in families.values() for label in sample(labels, each)]
    many = [label for labels in families.values() for label in sample(labels, 10 * each)]
    made = [name for name in charbot(popular, dice) if name not in benign]
    edited = [one_edits(label) for label in few]
    return Attacks(
        _shares(judge(made), limits),
        _attacked(judge(few), worst(judge, edited), limits) if few else None,
        sum(map(len, edited)),
        _hyphens(judge, limits, many, 1, dice),
        _hyphens(judge, limits, many, 2, dice),
    )


def charbot(popular: Sequence[str], dice: random.Random) -> list[str]:
    """One name of each label that is long enough: exactly two characters differ."""
    return [_two_changed(it, dice) for it in popular if len(it) >= SHORTEST_VICTIM and it.isascii()]


def _two_changed(label: str, dice: random.Random) -> str:
    letters = list(label)
    for place in dice.sample(range(len(label)), 2):
        letters[place] = dice.choice([c for c in _allowed(place, len(label)) if c != label[place]])
    return "".join(letters)


def one_edits(label: str) -> list[str]:
    """Every label one character away that can be registered, once."""
    size = len(label)
    found = {label[:at] + c + label[at + 1 :] for at in range(size) for c in _allowed(at, size)}
    found |= {label[:at] + label[at + 1 :] for at in range(size)}
    if size < LONGEST:
        found |= {
            label[:at] + c + label[at:] for at in range(size + 1) for c in _allowed(at, size + 1)
        }
    return sorted(it for it in found - {label} if it and it[0] != "-" and it[-1] != "-")


def _allowed(place: int, size: int) -> str:
    """A hyphen is no first or last character (RFC 952)."""
    return LETTERS if place in (0, size - 1) else LETTERS + "-"


def with_hyphens(label: str, count: int, dice: random.Random) -> str:
    """So many hyphens at different places inside; a label too short or too long stays as it is."""
    if len(label) <= count or len(label) + count > LONGEST:
        return label
    places = sorted(dice.sample(range(1, len(label)), count))
    parts = [label[low:high] for low, high in zip([0, *places], [*places, None], strict=True)]
    return "-".join(parts)


def worst(judge: Judge, edited: Sequence[Sequence[str]]) -> Logits:
    """Of each name the least that any of its edits gets."""
    logits = judge([label for labels in edited for label in labels])
    starts = np.cumsum([0, *map(len, edited)])[:-1]
    return np.asarray(np.minimum.reduceat(logits, starts), np.float64)


def _hyphens(
    judge: Judge, limits: Sequence[float], labels: Sequence[str], count: int, dice: random.Random
) -> Attacked | None:
    fit = [label for label in labels if count < len(label) <= LONGEST - count]
    if not fit:
        return None
    return _attacked(judge(fit), judge([with_hyphens(label, count, dice) for label in fit]), limits)


def _attacked(before: Logits, after: Logits, limits: Sequence[float]) -> Attacked:
    holds = [share(after[before >= limit] >= limit) for limit in limits]
    return Attacked(_shares(before, limits), _shares(after, limits), holds)


def _shares(logits: Logits, limits: Sequence[float]) -> list[Share]:
    return [share(logits >= limit) for limit in limits]


def show(found: Attacks) -> str:
    attacks: Mapping[str, Attacked | None] = {
        f"the worst of all single edits ({found.edits:,} tried)": found.one_edit,
        "one hyphen put in": found.one_hyphen,
        "two hyphens put in": found.two_hyphens,
    }
    rows = [
        row
        for name, it in attacks.items()
        for row in (_rows(name, it) if it else [[name, "", *[NOT_MEASURED] * 3]])
    ]
    charbot = [
        "CharBot, of popular labels",
        f"{found.charbot[0].names:,}",
        *map(_share, found.charbot),
    ]
    return table(["attack: what is found", "names", *COLUMNS], [charbot, *rows])


def _rows(name: str, found: Attacked) -> list[list[str]]:
    names = f"{found.before[0].names:,}"
    return [
        [f"{name}: before", names, *map(_share, found.before)],
        [f"{name}: after", names, *map(_share, found.after)],
        [f"{name}: of those found, still found", "", *map(_share, found.holds)],
    ]


def _share(found: Share) -> str:
    return f"{percent(found.rate)} ({between(found.low, found.high)})" if found.names else "–"
