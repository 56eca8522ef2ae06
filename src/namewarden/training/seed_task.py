"""The seed's own task, beside ours: its benign list against the COVID-19 block list, whole host names.

`python -m namewarden.training.seed_task DATA OUT` teaches and measures everything, prints a table and writes
`OUT/seed-task.json`. What was taught is kept in OUT, so that a killed run goes on.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import msgspec
import numpy as np
from publicsuffixlist import PublicSuffixList
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from namewarden.training.data import Corpus, rows
from namewarden.training.fit import fit
from namewarden.training.recipe import Judge, Options
from namewarden.training.shortcuts import ENDS, by_shortcuts

BENIGN = "benign/mlbridge_benign_2020.txt.gz"
BAD = "malicious/ctc_covid19_2020.txt.gz"
FIRST = 500  # names of each list that the seed learned and was measured with
LEVEL = 0.95

SEED = "dns-alert-net"
OURS = "host-cnn"
NO_SUFFIX = ", no suffix"
SHORTCUTS = "shortcuts alone"  # length, dots, digits, suffix
# The seed's step is Adam's 1e-3; it says no number of epochs, so on the whole lists it gets twice as many as ours.
FEW = Options(epochs=100, batch=32, rate=1e-3, smoothing=0.0, made_up=0)
OPTIONS = {
    SEED: Options(epochs=20, batch=64, rate=1e-3, smoothing=0.0, made_up=0),
    OURS: Options(epochs=10, batch=128, rate=2e-3, made_up=0),
}


class Names(msgspec.Struct, frozen=True):
    """Host names of both classes."""

    benign: list[str]
    bad: list[str]


class Split(msgspec.Struct, frozen=True):
    """What is learned from, what is set aside, what is measured on."""

    name: str
    learn: Names
    aside: Names
    test: Names


class Share(msgspec.Struct, frozen=True):
    """Right answers, and the interval of Clopper and Pearson."""

    right: int
    names: int
    low: float
    high: float


class Result(msgspec.Struct, frozen=True):
    """One judge on one split."""

    who: str
    split: str
    learned: Share
    aside: Share
    test: Share
    paired: Share  # as many of each class of each length and number of dots


Teach = Callable[[str, Split], Judge]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m namewarden.training.seed_task", description=__doc__
    )
    parser.add_argument("data", type=Path, help="folder with benign/ and malicious/")
    parser.add_argument("out", type=Path, help="folder for weights and results")
    given = parser.parse_args()
    console = Console()
    results = measure(read(given.data), teacher(given.out), console.print)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "seed-task.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(results)) + b"\n"
    )
    console.print(table(results))
    for line in margins(results):
        console.print(line)


def read(data: Path) -> Names:
    """Both lists in the order of their files, each name once."""
    both = [dict.fromkeys(name for name, *_ in rows(data / path)) for path in (BENIGN, BAD)]
    return Names(
        *([name for name in one if name not in other] for one, other in (both, both[::-1]))
    )


def measure(names: Names, teach: Teach, say: Callable[[str], None]) -> list[Result]:
    """Everything there is to measure, in the order of the table."""
    suffixes = PublicSuffixList(only_icann=True)
    parts = [
        *splits(names, lambda name: suffixes.privatesuffix(name) or name),
        *splits(bared(names, suffixes), lambda bare: bare.rsplit(".", 1)[-1], NO_SUFFIX),
    ]
    plan = [(in_order(names), SEED)]
    plan += [(split, who) for split in parts for who in (SEED, SHORTCUTS, OURS)]
    results = []
    for at, (split, who) in enumerate(plan, 1):
        say(f"{at} of {len(plan)}: {who}, {split.name}")
        results.append(result(who, split, teach(who, split)))
    return results


def teacher(out: Path) -> Teach:
    """Each judge is kept in a folder of its split."""

    def teach(who: str, split: Split) -> Judge:
        if who == SHORTCUTS:
            ends = 0 if split.name.endswith(NO_SUFFIX) else ENDS
            return by_shortcuts(split.learn.benign, split.learn.bad, ends)
        options = FEW if split.name.startswith("first") else OPTIONS[who]
        folder = out / split.name.replace(", ", "-").replace(" ", "-")
        return fit(who, corpus_of(split), folder, options)

    return teach


def corpus_of(split: Split) -> Corpus:
    """As training takes names: there is no family to choose by, so the last weights are kept."""
    return Corpus(
        benign={"train": split.learn.benign, "calibration": [], "test": []},
        single=[],
        known={"train": {"bad": split.learn.bad}, "calibration": {}, "test": {}},
        choose={},
        unseen={},
    )


def in_order(names: Names, first: int = FIRST) -> Split:
    """The seed's: the first names of each file, eight tenths, one, one, as they come."""
    cuts = (0, first * 8 // 10, first * 9 // 10, first)
    parts = [Names(names.benign[a:b], names.bad[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    return Split(f"first {first}", *parts)


def splits(names: Names, group: Callable[[str], str], note: str = "") -> list[Split]:
    """At random, by a hash of the name; and grouped, so that no registrable domain is on two sides."""
    return [
        _divided(f"random{note}", names, str),
        _divided(f"by domain{note}", names, group),
    ]


def _divided(name: str, names: Names, key: Callable[[str], str]) -> Split:
    """Eight tenths to learn from, one aside, one to measure on; `key` decides, so equal keys stay together."""

    def part(low: int, high: int) -> Names:
        def some(of: list[str]) -> list[str]:
            return [one for one in of if low <= _tenth(key(one)) < high]

        return Names(some(names.benign), some(names.bad))

    return Split(name, part(0, 8), part(8, 9), part(9, 10))


def _tenth(text: str) -> int:
    return int.from_bytes(sha256(b"seed task " + text.encode()).digest()[:4], "big") % 10


def bared(names: Names, suffixes: PublicSuffixList) -> Names:
    """What is left of the public suffix, once; what both lists hold is left out."""

    def bare(name: str) -> str:
        suffix = suffixes.publicsuffix(name) or name
        return name[: -len(suffix) - 1]

    benign, bad = ({bare(name) for name in of} - {""} for of in (names.benign, names.bad))
    return Names(sorted(benign - bad), sorted(bad - benign))


def result(who: str, split: Split, say: Judge) -> Result:
    return Result(
        who,
        split.name,
        right(say, split.learn),
        right(say, split.aside),
        right(say, split.test),
        right(say, paired(split.test)),
    )


def paired(names: Names) -> Names:
    """As many of each class of each length and number of dots, so that neither tells them apart."""
    shapes: dict[tuple[int, int], tuple[list[str], list[str]]] = {}
    for place, of in enumerate((names.benign, names.bad)):
        for name in sorted(of, key=lambda name: sha256(name.encode()).digest()):
            shapes.setdefault((len(name), name.count(".")), ([], []))[place].append(name)
    pairs = [pair for both in shapes.values() for pair in zip(*both, strict=False)]
    return Names([benign for benign, _ in pairs], [bad for _, bad in pairs])


def right(say: Judge, names: Names) -> Share:
    """Malicious from even odds upwards."""
    hits = int(np.sum(say(names.benign) < 0) + np.sum(say(names.bad) >= 0))
    total = len(names.benign) + len(names.bad)
    if not total:
        return Share(0, 0, 0.0, 1.0)
    sure = binomtest(hits, total).proportion_ci(LEVEL, method="exact")
    return Share(hits, total, float(sure.low), float(sure.high))


def table(results: Sequence[Result]) -> Table:
    shown = Table("split", "who", "learned", "aside", "test", "same length and dots", "of")
    for one in results:
        shares = (one.learned, one.aside, one.test, one.paired)
        of = f"{one.test.names:,}, {one.paired.names:,}"
        shown.add_row(one.split, one.who, *map(written, shares), of)
    return shown


def written(share: Share) -> str:
    if not share.names:
        return "-"
    right, low, high = (100 * rate for rate in (share.right / share.names, share.low, share.high))
    return f"{right:.1f} [{low:.1f}, {high:.1f}]"


def margins(results: Sequence[Result]) -> list[str]:
    """By how many points of a hundred ours is above the seed network, split by split."""
    tests = {(one.split, one.who): one.test.right / max(one.test.names, 1) for one in results}
    return [
        f"{split}: ours {100 * (tests[split, OURS] - tests[split, SEED]):+.1f} points above the seed network"
        for split, who in tests
        if who == OURS
    ]


if __name__ == "__main__":
    main()
