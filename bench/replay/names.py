"""What is asked: names drawn from real lists, bucket by bucket, each in one bucket only.

Every name carries what the packaged model knew of its label, by the very assembly that training uses
(`namewarden/training/data.py`). One seed draws the same names from the same data.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Literal

from msgspec import Struct

from bench.processes import BenchError
from bench.replay.special import SPECIAL
from namewarden.detector.label import Labels, Scorable, dynamic_providers
from namewarden.detector.model import Model
from namewarden.training import data
from namewarden.training.data import Corpus

Kind = Literal["generated", "benign", "malicious", "special"]
# What the model knew of a name's label. "thresholds": not learned from, but the thresholds were set on it. "a site's":
# generated, but the label that is scored is a benign site's, a provider's above all.
Known = Literal["learned", "thresholds", "chosen by", "a site's", "never seen", "not scored"]
PERMITTED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
LEARNED_SHARE = 0.25  # of a family's names, where it has so many that were learned from
PER_FAMILY = 1250
OF_SIDE: dict[data.Side, Known] = {
    "train": "learned",
    "calibration": "thresholds",
    "test": "never seen",
}


class AskedName(Struct, frozen=True):
    """One name to ask."""

    name: str  # lower-case, without the final dot
    kind: Kind
    bucket: str  # of generated names the family
    known: Known
    is_private: bool = False  # below a cloud's or CDN's suffix: at most review by name alone


class Lessons:
    """What the model knew: of a label, and of a family."""

    def __init__(self, labels: Labels, corpus: Corpus) -> None:
        self.scored = labels.scored
        self._chosen = frozenset(corpus.choose)
        self._learned = {label for found in corpus.known["train"].values() for label in found}
        self._benign = {label: side for side, found in corpus.benign.items() for label in found}

    def ask(self, name: str, kind: Kind, bucket: str) -> AskedName:
        what = self.scored(name)
        if not isinstance(what, Scorable):
            return AskedName(name, kind, bucket, "not scored")
        if what.kind == "private":  # nothing was learned from these
            return AskedName(name, kind, bucket, "never seen", is_private=True)
        return AskedName(name, kind, bucket, self._known(what.label, kind, bucket))

    def _known(self, label: str, kind: Kind, family: str) -> Known:
        if label in self._learned:
            return "learned"
        if label in self._benign:
            return "a site's" if kind == "generated" else OF_SIDE[self._benign[label]]
        return "chosen by" if family in self._chosen else "never seen"


Fits = Callable[[AskedName, Lessons], bool]


class Bucket(Struct, frozen=True):
    """Names of one sort: where they are and how many are wanted at full size."""

    name: str
    wanted: int
    files: Sequence[str]
    fits: Fits = lambda asked, lessons: True
    first: int = 0  # ranked lists: from this line
    last: int | None = None
    kind: Kind = "benign"


def _is_new(asked: AskedName, lessons: Lessons) -> bool:
    return asked.known != "learned"


def _is_customer(of: str, asked: AskedName, lessons: Lessons) -> bool:
    what = lessons.scored(asked.name)
    return isinstance(what, Scorable) and what.kind == of


def _is_international(asked: AskedName, lessons: Lessons) -> bool:
    what = lessons.scored(asked.name)
    return isinstance(what, Scorable) and what.label.startswith("xn--")


UMBRELLA = "split/train_benign_umbrella.tsv.gz"
CRUX = "benign/crux_1m_2025-12-23.txt.gz"
RANKED = "benign/tranco_top50k_ranked_2025-02.txt.gz"
TRANCO = "benign/tranco_1m_2025-01-15.txt.gz"
# A name goes to the first bucket that draws it: the special ones before the general ones.
BUCKETS = (
    Bucket("Kubernetes services", 200, ["benign/k8s_names_from_docs_and_tests.tsv"]),
    Bucket("warning-list names", 3000, ["benign/special_misc_labelled.tsv"]),
    Bucket("banks", 2200, ["benign/special_bank_websites.txt"]),
    Bucket("universities", 3000, ["benign/special_university_domains_2025-12-23.txt.gz"]),
    Bucket("public resolvers' host names", 5000, ["benign/special_public_resolver_ptr_2024-06-15.txt.gz"]),
    Bucket("dynamic-DNS zones", 2000, ["benign/special_dynamic_dns_suffixes.txt.gz"]),
    Bucket("dynamic-DNS customers", 3000, [UMBRELLA, CRUX, TRANCO], partial(_is_customer, "dynamic")),
    Bucket("cloud and CDN customers", 6000, [UMBRELLA, CRUX], partial(_is_customer, "private")),
    Bucket("internationalized names", 2000, [CRUX, TRANCO], _is_international),
    Bucket("captured traffic 2018", 3000, ["benign/netrack_plain_captured_2018.txt.gz"]),
    Bucket("Tranco, rank to 10,000", 10_000, [RANKED], last=10_000),
    Bucket("Tranco, rank to 50,000", 8000, [RANKED], first=10_000),
    Bucket("Umbrella, not learned from", 12_000, [UMBRELLA], _is_new),
    Bucket("CrUX, not learned from", 12_000, [CRUX], _is_new),
    Bucket("Alexa 900,000 to 1,000,000", 8000, ["benign/alexa_tail_rank900k-1m_2020-01.txt.gz"]),
    Bucket("blackbook", 3000, ["malicious/blackbook_2024-09-01.tsv.gz"], kind="malicious"),
    Bucket("ThreatFox", 4000, ["malicious/threatfox_maldomains_2024.tsv.gz"], kind="malicious"),
    Bucket("Maltrail", 3000, ["malicious/maltrail_until_2026-01-03.tsv.gz"], kind="malicious"),
)  # fmt: skip


def draw(folder: Path, wanted: int | None = None, seed: int = 1) -> list[AskedName]:
    """About `wanted` names below `folder`, or full buckets; mixed. BenchError says what is missing."""
    check(folder)
    lessons = known_to_model(folder)
    by_family = families(folder)
    full = PER_FAMILY * len(by_family) + sum(bucket.wanted for bucket in BUCKETS)
    drawer = Drawer(lessons, random.Random(seed), wanted / full if wanted else 1.0)
    for family, names in sorted(by_family.items()):
        drawer.family(family, names)
    for names in by_family.values():  # a popular name that is also generated says nothing
        drawer.leave_out(names)
    for bucket in BUCKETS:
        drawer.bucket(bucket, folder)
    drawer.take(SPECIAL, len(SPECIAL), "special", "special-use and local names")
    return drawer.mixed()


def check(folder: Path) -> None:
    wanted = {data.GENERATED, *data.BENIGN, *data.MALWARE, *(f for b in BUCKETS for f in b.files)}
    if missing := sorted(name for name in wanted if not (folder / name).is_file()):
        raise BenchError("the replay needs real names, and these lists are not there: "
                         + ", ".join(str(folder / name) for name in missing))  # fmt: skip


def known_to_model(folder: Path) -> Lessons:
    """What the packaged model learned from. BenchError when this is not the data it was made from."""
    manifest = Model().manifest
    corpus = data.assemble(folder, frozenset(manifest.unseen_families))
    if len(corpus.benign["calibration"]) != manifest.calibration_names:
        raise BenchError(
            f"the names below {folder} are not those that the packaged model was made from, "
            "so nobody can tell which of them it never saw"
        )
    return Lessons(Labels(dynamic_providers()), corpus)


def families(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, family, *_ in data.rows(folder / data.GENERATED):
        found.setdefault(family, []).append(name)
    return found


class Drawer:
    """Draws without putting back; `scale` makes every bucket smaller or larger."""

    def __init__(self, lessons: Lessons, dice: random.Random, scale: float) -> None:
        self._lessons, self._dice, self._scale = lessons, dice, scale
        self._taken: set[str] = set()
        self._drawn: list[AskedName] = []

    def family(self, family: str, names: Sequence[str]) -> None:
        """Most of the names are such that nothing was learned from, where the family has them."""
        wanted = self._size(PER_FAMILY)
        old = self.take(
            names, round(wanted * LEARNED_SHARE), "generated", family,
            lambda asked, lessons: asked.known == "learned",
        )  # fmt: skip
        self.take(names, wanted - old, "generated", family, _is_new)

    def bucket(self, bucket: Bucket, folder: Path) -> None:
        names = [
            n for f in bucket.files for n in islice(_listed(folder / f), bucket.first, bucket.last)
        ]
        self.take(names, self._size(bucket.wanted), bucket.kind, bucket.name, bucket.fits)

    def leave_out(self, names: Iterable[str]) -> None:
        self._taken.update(names)

    def take(
        self,
        names: Sequence[str],
        wanted: int,
        kind: Kind,
        bucket: str,
        fits: Fits = lambda asked, lessons: True,
    ) -> int:
        """Draw until there are enough, or no more; how many there are."""
        before = len(self._drawn)
        for name in self._dice.sample(names, len(names)):
            if len(self._drawn) - before >= wanted:
                break
            if name not in self._taken and is_askable(name):
                self._consider(self._lessons.ask(name, kind, bucket), fits)
        return len(self._drawn) - before

    def mixed(self) -> list[AskedName]:
        return self._dice.sample(self._drawn, len(self._drawn))

    def _consider(self, asked: AskedName, fits: Fits) -> None:
        if fits(asked, self._lessons):
            self._taken.add(asked.name)
            self._drawn.append(asked)

    def _size(self, full: int) -> int:
        return max(1, round(full * self._scale))


@lru_cache(maxsize=3)
def _listed(path: Path) -> list[str]:
    """The first column; what a list itself calls legitimate is not malicious."""
    return [row[0].lower() for row in data.rows(path) if row[-1] != "legit"]


def is_askable(name: str) -> bool:
    """A host name that fits in a question as it is, without escapes."""
    labels = name.split(".")
    return (
        len(name) <= 253
        and all(0 < len(label) <= 63 for label in labels)
        and PERMITTED.issuperset(name.replace(".", ""))
    )
