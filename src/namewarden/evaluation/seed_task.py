"""The seed's own task, beside ours: its benign list against the COVID-19 block list, whole host names.

It needs the lists and the extra `train`, and takes minutes; so it is run when asked for. What was taught and what was
found are kept, and the report shows what is there.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from publicsuffixlist import PublicSuffixList

from namewarden.evaluation.intervals import Share, share_of
from namewarden.evaluation.page import NOT_MEASURED, between, percent, table
from namewarden.training.data import Corpus, rows
from namewarden.training.recipe import FitOptions, Judge

BENIGN = "benign/mlbridge_benign_2020.txt.gz"
BAD = "malicious/ctc_covid19_2020.txt.gz"
FIRST = 500  # names of each list that the seed learned and was measured with
PROMISED = 0.98  # what the seed says of itself, on the test names of these

SEED = "dns-alert-net"
OURS = "host-cnn"
IN_ORDER = f"first {FIRST}"
RANDOM, BY_DOMAIN = "random", "by domain"
NO_SUFFIX = ", no suffix"
SHORTCUTS = "shortcuts alone"  # length, dots, digits, suffix
TITLES = {
    SEED: "seed network",
    OURS: f"`{OURS}`",
    SHORTCUTS: "length, dots, digits and suffix alone",
}
# The seed's step is Adam's 1e-3; it says no number of epochs, so on the whole lists it gets twice as many as ours.
FEW = FitOptions(epochs=100, batch=32, rate=1e-3, smoothing=0.0, made_up=0)
OPTIONS = {
    SEED: FitOptions(epochs=20, batch=64, rate=1e-3, smoothing=0.0, made_up=0),
    OURS: FitOptions(epochs=10, batch=128, rate=2e-3, made_up=0),
}

ABOUT = (
    "Whole host names of the seed's benign list and its COVID-19 block list: the first 500 of each file as they come, "
    "then the whole lists, eight tenths to learn from, split at random and by registrable domain; last, all public "
    "suffixes taken away before learning. Right answers at even odds. The rest is about another model, which reads "
    "one label and no host."
)


class HostNames(msgspec.Struct, frozen=True):
    """Host names of both classes."""

    benign: list[str]
    bad: list[str]


class Split(msgspec.Struct, frozen=True):
    """What is learned from, what is set aside, what is measured on."""

    name: str
    learn: HostNames
    aside: HostNames
    test: HostNames


class Result(msgspec.Struct, frozen=True):
    """One judge on one split: its right answers."""

    who: str
    split: str
    learned: Share
    aside: Share
    test: Share
    paired: Share  # as many of each class of each length and number of dots


Teach = Callable[[str, Split], Judge]


def run(data: Path, folder: Path, kept: Path, notify: Callable[[str], None]) -> list[Result]:
    """What is kept, or measured now: the networks are taught in the folder, or loaded where they were."""
    if not kept.is_file():
        results = measure(read(data), teacher(folder), notify)
        part = kept.with_suffix(".part")
        part.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
        part.replace(kept)
    return load(kept)


def load(kept: Path) -> list[Result]:
    return msgspec.json.decode(kept.read_bytes(), type=list[Result]) if kept.is_file() else []


def read(data: Path) -> HostNames:
    """Both lists in the order of their files, each name once."""
    both = [dict.fromkeys(name for name, *_ in rows(data / path)) for path in (BENIGN, BAD)]
    return HostNames(
        *([name for name in one if name not in other] for one, other in (both, both[::-1]))
    )


def measure(names: HostNames, teach: Teach, notify: Callable[[str], None]) -> list[Result]:
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
        notify(f"{at} of {len(plan)}: {who}, {split.name}")
        results.append(result(who, split, teach(who, split)))
    return results


def teacher(out: Path) -> Teach:
    """Each judge is kept in a folder of its split."""
    from namewarden.training.fit import fit
    from namewarden.training.shortcuts import ENDS, by_shortcuts

    def teach(who: str, split: Split) -> Judge:
        if who == SHORTCUTS:
            ends = 0 if split.name.endswith(NO_SUFFIX) else ENDS
            return by_shortcuts(split.learn.benign, split.learn.bad, ends)
        options = FEW if split.name == IN_ORDER else OPTIONS[who]
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


def in_order(names: HostNames) -> Split:
    """The seed's: the first names of each file, eight tenths, one, one, as they come."""
    cuts = (0, FIRST * 8 // 10, FIRST * 9 // 10, FIRST)
    parts = [
        HostNames(names.benign[a:b], names.bad[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)
    ]
    return Split(IN_ORDER, *parts)


def splits(names: HostNames, group: Callable[[str], str], note: str = "") -> list[Split]:
    """At random, by a hash of the name; and grouped, so that no registrable domain is on two sides."""
    return [
        _divided(f"{RANDOM}{note}", names, str),
        _divided(f"{BY_DOMAIN}{note}", names, group),
    ]


def _divided(name: str, names: HostNames, key: Callable[[str], str]) -> Split:
    """Eight tenths to learn from, one aside, one to measure on; `key` decides, so equal keys stay together."""

    def part(low: int, high: int) -> HostNames:
        def some(of: list[str]) -> list[str]:
            return [one for one in of if low <= _tenth(key(one)) < high]

        return HostNames(some(names.benign), some(names.bad))

    return Split(name, part(0, 8), part(8, 9), part(9, 10))


def _tenth(text: str) -> int:
    return int.from_bytes(sha256(b"seed task " + text.encode()).digest()[:4], "big") % 10


def bared(names: HostNames, suffixes: PublicSuffixList) -> HostNames:
    """What is left of the public suffix, once; what both lists hold is left out."""

    def bare(name: str) -> str:
        suffix = suffixes.publicsuffix(name) or name
        return name[: -len(suffix) - 1]

    benign, bad = ({bare(name) for name in of} - {""} for of in (names.benign, names.bad))
    return HostNames(sorted(benign - bad), sorted(bad - benign))


def result(who: str, split: Split, judge: Judge) -> Result:
    return Result(
        who,
        split.name,
        right(judge, split.learn),
        right(judge, split.aside),
        right(judge, split.test),
        right(judge, paired(split.test)),
    )


def paired(names: HostNames) -> HostNames:
    """As many of each class of each length and number of dots, so that neither tells them apart."""
    shapes: dict[tuple[int, int], tuple[list[str], list[str]]] = {}
    for place, of in enumerate((names.benign, names.bad)):
        for name in sorted(of, key=lambda name: sha256(name.encode()).digest()):
            shapes.setdefault((len(name), name.count(".")), ([], []))[place].append(name)
    pairs = [pair for both in shapes.values() for pair in zip(*both, strict=False)]
    return HostNames([benign for benign, _ in pairs], [bad for _, bad in pairs])


def right(judge: Judge, names: HostNames) -> Share:
    """Malicious from even odds upwards."""
    hits = int(np.sum(judge(names.benign) < 0) + np.sum(judge(names.bad) >= 0))
    return share_of(hits, len(names.benign) + len(names.bad))


def margins(results: Sequence[Result]) -> dict[str, float]:
    """By how much of all names ours is above the seed network, split by split."""
    tests = {(one.split, one.who): one.test.rate for one in results}
    return {split: tests[split, OURS] - tests[split, SEED] for split, who in tests if who == OURS}


def show(results: Sequence[Result]) -> str:
    if not results:
        return f"The seed's own task: {NOT_MEASURED} (`namewarden evaluate --seed-task`).\n"
    lines = [
        [
            one.split,
            title(one),
            *map(_share, (one.learned, one.aside, one.test, one.paired)),
            of(one),
        ]
        for one in results
    ]
    head = ["split", "who", "learned", "aside", "test", "test, same length and dots", "names"]
    return f"{ABOUT}\n\n{table(head, lines)}\n{_margins(results)}\n"


def title(one: Result) -> str:
    plain = TITLES[one.who]
    return plain.replace(" and suffix", "") if one.split.endswith(NO_SUFFIX) else plain


def of(one: Result) -> str:
    return f"{one.test.names:,}, {one.paired.names:,}"


def _margins(results: Sequence[Result]) -> str:
    points = [f"{split}: {100 * it:+.1f}" for split, it in margins(results).items()]
    return f"`{OURS}` less the seed network, points of the test names: {'; '.join(points)}."


def _share(found: Share) -> str:
    return f"{percent(found.rate)} ({between(found.low, found.high)})" if found.names else "–"
