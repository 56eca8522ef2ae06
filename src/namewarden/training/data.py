"""The names a model learns from and is measured on: labels as the product scores them, each on one side only.

`assemble(folder)` reads the benign lists, the generated names and the known malware names below `folder`
(`docs/training.md` says which files). Its counterpart is `train.py`.
"""

import gzip
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeVar

from msgspec import Struct

from namewarden.detector.label import Labels, Scorable, dynamic_providers

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
MALWARE = (
    "malicious/maltrail_until_2026-01-03.tsv.gz",
    "malicious/blackbook_2024-09-01.tsv.gz",
    "malicious/threatfox_maldomains_2024.tsv.gz",
)
GENERATED = "split/train_dga.tsv.gz"

# Families kept away from training: the first to choose the weights by, the second only to report on.
# A family goes with all that share its generator.
CHOOSE_BY = frozenset({"gozi", "chinad", "proslikefan", "vidro", "mydoom", "tempedreve"})
REPORT_ON = frozenset(
    {"tinba", "simda", "padcrypt", "padcrypt_v11", "ramdo", "corebot", "pushdo", "sisron",
     "dnschanger", "ccleaner", "xshellghost"}
)  # fmt: skip
SHORTEST = 4  # a generated name below this says nothing about its generator
COMMON = 20  # a label under which this many generated names hang is a provider's, not generated


class Corpus(Struct, frozen=True):
    """Labels by side; the generated ones by family. No label is in two places."""

    benign: dict[Side, list[str]]  # outside "train" only what two makers list
    single: list[str]  # test side, listed by one maker
    known: dict[Side, dict[str, list[str]]]
    choose: dict[str, list[str]]
    unseen: dict[str, list[str]]


def side(label: str) -> Side:
    """Where a label belongs, for ever: five tenths are learned from, three set thresholds, two are reported on."""
    tenth = int.from_bytes(sha256(label.encode()).digest()[:4], "big") % 10
    return "train" if tenth < 5 else "calibration" if tenth < 8 else "test"


def assemble(folder: Path) -> Corpus:
    """All names below `folder`, scored label by scored label."""
    labels = Labels(dynamic_providers())
    families = _families(labels, folder / GENERATED)
    makers = _benign(labels, folder, _bad(labels, folder))
    both = families.keys() & makers.keys()
    return divide(
        {label: len(by) > 1 for label, by in makers.items() if label not in both},
        {label: family for label, family in families.items() if label not in both},
    )


def divide(benign: dict[str, bool], families: dict[str, str]) -> Corpus:
    """Put every label on its side; sorted, so that one input gives one corpus. Benign: label → two makers list it."""
    corpus = Corpus(_sides(list), [], _sides(dict), {}, {})
    for label, confirmed in sorted(benign.items()):
        place = side(label)
        if confirmed or place == "train":
            corpus.benign[place].append(label)
        elif place == "test":
            corpus.single.append(label)
    for label, family in sorted(families.items()):
        held = corpus.choose if family in CHOOSE_BY else corpus.unseen
        if family not in CHOOSE_BY | REPORT_ON:
            held = corpus.known[side(label)]
        held.setdefault(family, []).append(label)
    return corpus


def _sides(make: type[T]) -> dict[Side, T]:
    return {"train": make(), "calibration": make(), "test": make()}


def rows(path: Path) -> Iterator[list[str]]:
    """The columns of a list, one domain a line; gzip by its ending."""
    opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open("rt")
    with opened as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n").split("\t")


def _families(labels: Labels, path: Path) -> dict[str, str]:
    """Generated label → family. What two families generate goes to the first, by the order of the file."""
    found: dict[str, str] = {}
    hung: Counter[str] = Counter()
    for name, family, *_ in rows(path):
        what = labels.scored(name)
        if isinstance(what, Scorable) and what.kind != "private":
            hung[what.label] += 1
            found.setdefault(what.label, family)
    return {k: v for k, v in found.items() if hung[k] < COMMON and len(k) >= SHORTEST}


def _bad(labels: Labels, folder: Path) -> set[str]:
    """Registrable domains that malware lists name themselves; a host below a shared one does not count."""
    bad = set()
    for path in (folder / name for name in MALWARE):
        for name, *rest in rows(path):
            what = labels.scored(name) if rest[-1:] != ["legit"] else None
            if isinstance(what, Scorable) and name.removeprefix("www.") == what.registrable:
                bad.add(name.removeprefix("www."))
    return bad


def _benign(labels: Labels, folder: Path, bad: set[str]) -> dict[str, set[str]]:
    """Benign label → the makers of lists that hold it."""
    found: dict[str, set[str]] = {}
    for path, maker in BENIGN.items():
        for name, *_ in rows(folder / path):
            what = labels.scored(name)
            if not isinstance(what, Scorable) or what.kind == "private":
                continue
            if what.registrable not in bad:
                found.setdefault(what.label, set()).add(maker)
    return found
