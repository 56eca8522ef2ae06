"""The names a model learns from and is measured on: labels as the product scores them, each on one side only.

`assemble(folder)` reads the benign lists, the generated names and the known malware names below `folder`
(`docs/training.md` says which files); `assemble(None)` makes do with what the package registry has. Its counterpart
is `train.py`.
"""

import gzip
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct

from namewarden.detector.label import Labels, Scorable, dynamic_providers
from namewarden.training import registry

T = TypeVar("T")
Side = Literal["train", "calibration", "test"]
# Benign lists and who made them. What two makers list has lived and was visited; what one lists alone is often a
# throw-away or a malware name, so it may teach, but sets no threshold.
BENIGN = {
    "benign/tranco_1m_2025-01-15.txt.gz": "tranco",
    "benign/tranco_top50k_ranked_2025-02.txt.gz": "tranco",
    "benign/majestic_top15k_2026-03.txt.gz": "tranco",  # Tranco counts it in
    "benign/crux_1m_2025-12-23.txt.gz": "crux",
    "benign/toplist_top65535_ranked_2023-09.txt.gz": "toplist",
    "benign/opendns-random-domains_2014.txt.gz": "opendns",
    "benign/opendns-top-domains_2014.txt.gz": "opendns",
    "benign/special_university_domains_2025-12-23.txt.gz": "special",
    "benign/special_bank_websites.txt": "special",
    "split/train_benign_umbrella.tsv.gz": "umbrella",
}
QUERIED = "split/train_benign_umbrella.tsv.gz"
POPULAR = "benign/tranco_top50k_ranked_2025-02.txt.gz"
MALWARE = (
    "malicious/maltrail_until_2026-01-03.tsv.gz",
    "malicious/blackbook_2024-09-01.tsv.gz",
    "malicious/threatfox_maldomains_2024.tsv.gz",
)
GENERATED = "split/train_dga.tsv.gz"
FEED = "malicious/maltrail_until_2026-01-03.tsv.gz"
# Trails of FEED that hold mostly generated names, of families that GENERATED does not have.
FED = frozenset(
    {"android_flubot", "mintsloader", "dyreza", "mylobot", "mingloa", "meta", "nivdort", "woof"}
)

# What shares a generator stays together: members → their generator. A family not here is its own.
GENERATORS = {
    "kraken_v1": "kraken", "kraken_v2": "kraken", "locky_v2": "locky", "locky_v3": "locky",
    "gameover": "newgoz", "murofet_v1": "murofet", "murofet_v2": "murofet", "murofet_v3": "murofet",
    "padcrypt_v11": "padcrypt", "pykspa_improved": "pykspa", "pykspa_precursor": "pykspa",
    "qsnatch_a": "qsnatch", "qsnatch_b": "qsnatch", "ranbyus_may": "ranbyus", "ranbyus_september": "ranbyus",
    "vawtrak_v1": "vawtrak", "vawtrak_v2": "vawtrak", "vawtrak_v3": "vawtrak",
}  # fmt: skip
# Families that a measured model may be kept away from: the first to choose by, the second only to report on.
CHOOSE_BY = frozenset({"gozi", "chinad", "proslikefan", "vidro", "mydoom", "tempedreve"})
REPORT_ON = frozenset(
    {"tinba", "simda", "padcrypt", "padcrypt_v11", "ramdo", "corebot", "pushdo", "sisron",
     "dnschanger", "ccleaner", "xshellghost"}
)  # fmt: skip
HELD = CHOOSE_BY | REPORT_ON
SHORTEST = 4  # a generated name below this says nothing about its generator
MOST_POPULAR = 10_000
COMMON = 20  # a label under which this many generated names hang is a provider's, not generated


class Corpus(Struct, frozen=True, omit_defaults=True):
    """Labels by side; the generated ones by family. No label is in two places, but for `popular`."""

    benign: dict[Side, list[str]]  # outside "train" only what two makers list
    single: list[str]  # test side, on lists of one maker
    known: dict[Side, dict[str, list[str]]]
    choose: dict[str, list[str]]
    unseen: dict[str, list[str]]
    fed: dict[str, list[str]] = {}  # real malware names of families that nothing was learned from
    queried: list[str] = []  # whole names as clients asked them, whose label is on the test side
    popular: list[str] = []  # the most popular, in order; learned from
    # Family learned from → suffix → how many of its names of the train side stand there; empty in older kept ones.
    suffixes: dict[str, dict[str, int]] = {}


def side(label: str) -> Side:
    """Where a label belongs, for ever: five tenths are learned from, three set thresholds, two are reported on."""
    tenth = int.from_bytes(sha256(label.encode()).digest()[:4], "big") % 10
    return "train" if tenth < 5 else "calibration" if tenth < 8 else "test"


def generator(family: str) -> str:
    """What makes the names of a family."""
    return GENERATORS.get(family, family)


def assemble(folder: Path | None, held: frozenset[str] = HELD) -> Corpus:
    """All names below `folder`, scored label by scored label; nothing is learned from the families `held`."""
    if folder is None:
        return assemble_registry()
    labels = Labels(dynamic_providers())
    families, under = _families(labels, folder / GENERATED)
    makers = _benign(labels, _listed(folder), _bad(labels, folder))
    ranked = islice((name for name, *_ in rows(folder / POPULAR)), MOST_POPULAR)
    corpus = divide(*_apart(makers, families), held, _first(labels, ranked))
    corpus.suffixes.update(_suffixes(corpus.known["train"], under))
    corpus.queried.extend(_queried(labels, folder / QUERIED, {*families, *corpus.popular}))
    for label, family in sorted(_fed(labels, folder / FEED).items()):
        if label not in makers and label not in families:
            corpus.fed.setdefault(family, []).append(label)
    return corpus


def assemble_registry(most: int | None = None, each: int = registry.EACH_KIND) -> Corpus:
    """The names of the package registry, `most` of each list; the families are kinds of made-up generators."""
    labels = Labels(dynamic_providers())
    makers = _benign(labels, registry.listed(most), set())
    popular = _first(labels, registry.popular(most))
    return divide(*_apart(makers, registry.made(makers, each)), HELD, popular)


def divide(
    benign: dict[str, set[str]],
    families: dict[str, str],
    held: frozenset[str] = HELD,
    popular: Sequence[str] = (),
) -> Corpus:
    """Put every label on its side; sorted, so that one input gives one corpus. Benign: label → who lists it. The most
    popular are all learned from."""
    corpus = Corpus(_sides(list), [], _sides(dict), {}, {}, popular=list(popular))
    taught = frozenset(popular)
    for label, makers in sorted(benign.items()):
        place = corpus.benign["train"] if label in taught else _place(corpus, label, makers)
        place.append(label)
    for label, family in sorted(families.items()):
        found = corpus.choose if family in CHOOSE_BY else corpus.unseen
        if family not in held:
            found = corpus.known[side(label)]
        found.setdefault(family, []).append(label)
    return corpus


def _place(corpus: Corpus, label: str, makers: set[str]) -> list[str]:
    """What one maker alone lists sets no threshold, so there it is learned from."""
    place = side(label)
    if len(makers) > 1:
        return corpus.benign[place]
    return corpus.single if place == "test" else corpus.benign["train"]


def _sides(make: type[T]) -> dict[Side, T]:
    return {"train": make(), "calibration": make(), "test": make()}


def rows(path: Path) -> Iterator[list[str]]:
    """The columns of a list, one domain a line; gzip by its ending."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open("rt")
    with opened as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def _families(labels: Labels, path: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Generated label → family, and label of the train side → the suffixes of its names. What two families generate
    goes to the first, by the order of the file."""
    found: dict[str, str] = {}
    under: dict[str, list[str]] = {}
    hung: Counter[str] = Counter()
    for name, family, *_ in rows(path):
        what = labels.scored(name)
        if isinstance(what, Scorable) and what.kind != "private":
            hung[what.label] += 1
            if found.setdefault(what.label, family) == family and side(what.label) == "train":
                under.setdefault(what.label, []).append(what.judged.partition(".")[2])
    return {k: v for k, v in found.items() if hung[k] < COMMON and len(k) >= SHORTEST}, under


def _suffixes(
    families: dict[str, list[str]], under: dict[str, list[str]]
) -> dict[str, dict[str, int]]:
    """Family → suffix → names."""
    return {
        family: dict(sorted(Counter(suffix for label in found for suffix in under[label]).items()))
        for family, found in families.items()
    }


def _first(labels: Labels, names: Iterable[str]) -> list[str]:
    """The labels of the most popular names, in order, customers of clouds left out."""
    whats = map(labels.scored, names)
    found = (what.label for what in whats if isinstance(what, Scorable) and what.kind == "icann")
    return list(dict.fromkeys(found))


def _queried(labels: Labels, path: Path, others: set[str]) -> list[str]:
    """Names of the test side but of those labels; what the product does not score has the side of the name."""
    found = []
    for name, *_ in rows(path):
        what = labels.scored(name)
        label = what.label if isinstance(what, Scorable) else name
        if side(label) == "test" and label not in others:
            found.append(name)
    return found


def _fed(labels: Labels, path: Path) -> dict[str, str]:
    """Label → family, of the trails in FED; a host below a shared domain is that domain's name."""
    found = {}
    for name, family, *_ in rows(path):
        what = labels.scored(name) if family in FED else None
        if isinstance(what, Scorable) and what.kind != "private" and len(what.label) >= SHORTEST:
            found[what.label] = family
    return found


def _bad(labels: Labels, folder: Path) -> set[str]:
    """Registrable domains that malware lists name themselves; a host below a shared one does not count."""
    bad = set()
    for path in (folder / name for name in MALWARE):
        for name, *rest in rows(path):
            what = labels.scored(name) if rest[-1:] != ["legit"] else None
            if isinstance(what, Scorable) and name.removeprefix("www.") == what.registrable:
                bad.add(name.removeprefix("www."))
    return bad


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, maker) of every benign list."""
    for path, maker in BENIGN.items():
        for name, *_ in rows(folder / path):
            yield name, maker


def _benign(
    labels: Labels, listed: Iterable[tuple[str, str]], bad: set[str]
) -> dict[str, set[str]]:
    """Benign label → the makers of lists that hold it."""
    found: dict[str, set[str]] = {}
    for name, maker in listed:
        what = labels.scored(name)
        if isinstance(what, Scorable) and what.kind != "private" and what.registrable not in bad:
            found.setdefault(what.label, set()).add(maker)
    return found


def _apart(
    makers: dict[str, set[str]], families: dict[str, str]
) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Both without the labels that are in both."""
    both = families.keys() & makers.keys()
    return (
        {label: by for label, by in makers.items() if label not in both},
        {label: family for label, family in families.items() if label not in both},
    )
