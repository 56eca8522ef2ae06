"""Generators that no malware has: any alphabet, any length, any syllables, any words.

A model that sees only real families learns their alphabets; these teach it what generated names share.
"""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
VOWELS = "aeiouy"
CONSONANTS = "bcdfghjklmnpqrstvwxyz"
LONG = 11  # letters from which a label is still a label in two parts
EACH = 40  # names drawn from one generator before the next is made up

Dice = np.random.Generator
Draw = Callable[[], str]


def names(count: int, seed: int, words: Sequence[str]) -> list[str]:
    """`count` different labels of made-up generators; of words only where there are some."""
    dice = np.random.default_rng(seed)
    kinds = KINDS if words else tuple(kind for kind in KINDS if kind is not _words)
    found: set[str] = set()
    while len(found) < count:
        draw = kinds[dice.integers(len(kinds))](dice, words)
        found.update(draw() for _ in range(EACH))
    return [str(name) for name in dice.choice(sorted(found), count, replace=False)]


def by_kind(count: int, seed: int, words: Sequence[str]) -> dict[str, list[str]]:
    """`count` different labels of each kind of generator, fewer where few words are to be had; a label is of the
    first kind that made it."""
    dice = np.random.default_rng(seed)
    met: set[str] = set()
    found: dict[str, list[str]] = {}
    for kind in dict.fromkeys(KINDS):
        own: list[str] = []
        for _ in range(count + EACH):  # a round almost always brings something new
            if len(own) >= count:
                break
            draw = kind(dice, words)
            new = sorted({draw() for _ in range(EACH)} - met)
            own += new
            met.update(new)
        found[_name(kind)] = own[:count]
    return found


def hyphened(labels: Sequence[str], count: int, seed: int) -> list[str]:
    """`count` of the labels at most, long ones, with a hyphen put in: a hyphen alone is to excuse nothing."""
    dice = np.random.default_rng(seed)
    long = [label for label in labels if LONG <= len(label) < 63]
    found = []
    for place in dice.permutation(len(long))[:count]:
        at = int(dice.integers(2, len(long[place]) - 1))
        found.append(f"{long[place][:at]}-{long[place][at:]}")
    return found


def has_hyphen(labels: Sequence[str]) -> NDArray[np.bool_]:
    """Which of the made-up labels are a malware's own with a hyphen put in: no generator here writes one."""
    return np.fromiter(("-" in label for label in labels), bool, len(labels))


def common_words(labels: Sequence[str], least: int = 8) -> list[str]:
    """The words site owners hyphenate: 3 to 9 letters, met at least `least` times."""
    met = Counter(
        part
        for label in labels
        if "-" in label
        for part in label.split("-")
        if 3 <= len(part) <= 9 and part.isalpha()
    )
    return sorted(word for word, times in met.items() if times >= least)


def _lengths(dice: Dice, least: int, most: int) -> Callable[[], int]:
    low = int(dice.integers(least, most))
    high = low if dice.random() < 0.5 else int(dice.integers(low, most + 1))
    return lambda: int(dice.integers(low, high + 1))


def _alphabet(dice: Dice) -> list[str]:
    whole = LETTERS + (DIGITS if dice.random() < 0.35 else "")
    size = int(dice.integers(6, len(whole) + 1)) if dice.random() < 0.6 else len(whole)
    return [whole[i] for i in dice.permutation(len(whole))[:size]]


def _letters(dice: Dice, words: Sequence[str]) -> Draw:
    alphabet, length = _alphabet(dice), _lengths(dice, 7, 30)
    return lambda: _spelled(alphabet, dice.integers(len(alphabet), size=length()))


def _skewed(dice: Dice, words: Sequence[str]) -> Draw:
    alphabet, length = _alphabet(dice), _lengths(dice, 7, 26)
    weights = np.cumsum(dice.dirichlet(np.full(len(alphabet), dice.uniform(0.4, 3.0))))

    def draw() -> str:
        places = np.searchsorted(weights, dice.random(length()))
        return _spelled(alphabet, np.minimum(places, len(alphabet) - 1))

    return draw


def _syllables(dice: Dice, words: Sequence[str]) -> Draw:
    vowels = [VOWELS[i] for i in dice.permutation(6)[: dice.integers(3, 7)]]
    consonants = [CONSONANTS[i] for i in dice.permutation(21)[: dice.integers(8, 22)]]
    shapes = ["cv", "vc", "cvc"][: dice.integers(1, 4)]
    count = _lengths(dice, 4, 7)
    letters = {"v": vowels, "c": consonants}

    def draw() -> str:
        pattern = _spelled(shapes, dice.integers(len(shapes), size=count()))
        return _filled([letters[kind] for kind in pattern], dice)

    return draw


def _hexadecimal(dice: Dice, words: Sequence[str]) -> Draw:
    length = _lengths(dice, 8, 33)
    return lambda: _spelled("0123456789abcdef", dice.integers(16, size=length()))


def _mixed(dice: Dice, words: Sequence[str]) -> Draw:
    """Letters and digits in blocks, as in `x7k2m9` or `host` + number + letters."""
    shape = ["".join(dice.choice(["l", "d"], 3)) for _ in range(int(dice.integers(3, 8)))]
    choices = [LETTERS if kind == "l" else DIGITS for block in shape for kind in block]
    return lambda: _filled(choices, dice)


def _words(dice: Dice, words: Sequence[str]) -> Draw:
    own = [words[i] for i in dice.integers(len(words), size=200)] if words else list(LETTERS)
    count = int(dice.integers(3, 6))
    return lambda: _spelled(own, dice.integers(len(own), size=count))[:63]


def _spelled(parts: Sequence[str], places: NDArray[np.int64]) -> str:
    return "".join([parts[place] for place in places.tolist()])


def _filled(choices: Sequence[Sequence[str]], dice: Dice) -> str:
    """One of each in turn: drawn at once, the dice fall as if they were thrown one by one."""
    places = dice.integers([len(some) for some in choices]).tolist()
    return "".join([some[place] for some, place in zip(choices, places, strict=True)])


# Those written twice are drawn from twice as often.
KINDS = (_letters, _letters, _skewed, _skewed, _syllables, _hexadecimal, _mixed, _words)


def _name(kind: Callable[..., Draw]) -> str:
    return kind.__name__.strip("_")


NAMES = frozenset(map(_name, KINDS))  # what `by_kind` calls them
