"""Whole names of the lists that the corpus keeps only the labels of: hard benign ones by sort, and what is new.

Nothing here was learned from: a scored label is on the test side, as `training/data.py` divides them. Lists that are
not there leave their sort out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from namewarden.detector.label import Labels, Scorable, Unscored, dynamic_providers
from namewarden.evaluation import made
from namewarden.evaluation.answers import SIZES, families_of
from namewarden.training.data import GENERATED, QUERIED, Corpus, rows, side

CRUX = "benign/crux_1m_2025-12-23.txt.gz"
TRANCO = "benign/tranco_1m_2025-01-15.txt.gz"
NEWER = {
    CRUX: "CrUX 2025-12",
    "benign/majestic_top15k_2026-03.txt.gz": "Majestic 2026-03",
    QUERIED: "Umbrella 2026-07",
}
OLDER = (
    TRANCO,
    "benign/tranco_top50k_ranked_2025-02.txt.gz",
    "benign/toplist_top65535_ranked_2023-09.txt.gz",
    "benign/alexa_tail_rank900k-1m_2020-01.txt.gz",
    "benign/mlbridge_benign_2020.txt.gz",
    "benign/opendns-random-domains_2014.txt.gz",
    "benign/opendns-top-domains_2014.txt.gz",
)
# Lists that are a sort by themselves.
SORTS = {
    "host names of public resolvers": "benign/special_public_resolver_ptr_2024-06-15.txt.gz",
    "banks": "benign/special_bank_websites.txt",
    "universities": "benign/special_university_domains_2025-12-23.txt.gz",
    "warning-list names": "benign/special_misc_labelled.tsv",
    "Kubernetes services": "benign/k8s_names_from_docs_and_tests.tsv",
    "captured traffic 2018": "benign/netrack_plain_captured_2018.txt.gz",
    "typo registrations (not benign as such)": "malicious/dnstwist_typosquats_2026-08-17.txt.gz",
}
SYLLABLE = "(?:[bpmfdtnlgkhjqxzcsryw]|zh|ch|sh)?(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|an|ao|ei|en|er|ia|ie|in|iu|ou|ua|ue|ui|un|uo|a|e|i|o|u|v)"  # noqa: E501
PINYIN = re.compile(f"(?:{SYLLABLE}){{3,6}}")
HASH = re.compile(r"(^|[.-])(?=[0-9a-f]*\d)[0-9a-f]{12,}[.-]")

What = Scorable | Unscored
# Sorts told by the name itself, of names that were asked or visited.
FITS: dict[str, Callable[[str, What], bool]] = {
    "cloud and CDN customers": lambda name, what: isinstance(what, Scorable) and what.kind == "private",
    "cloud and CDN platforms": lambda name, what: isinstance(what, Unscored) and what.reason == "platform",
    "dynamic-DNS customers": lambda name, what: isinstance(what, Scorable) and what.kind == "dynamic",
    "hosts with a hash": lambda name, what: bool(HASH.search(name)),
    "pinyin (.cn)": lambda name, what: isinstance(what, Scorable) and name.endswith(".cn") and bool(PINYIN.fullmatch(what.label)),  # noqa: E501
}  # fmt: skip


class Tlds(Struct, frozen=True):
    """How often each top-level domain stands under names, to learn from and to test on."""

    benign: dict[str, dict[str, int]]  # "train" or "test" → top-level domain → names
    generated: dict[str, dict[str, int]]


class WholeNames(Struct, frozen=True):
    sorts: dict[str, list[str]]
    newer: dict[str, list[str]]  # list → labels that no older list holds
    tlds: Tlds | None
    generated: dict[
        str, list[str]
    ] = {}  # family → what is asked about it, each label with its suffix

    def whole(self) -> dict[str, str]:
        """Generated label → the same with the suffix it stands under."""
        return {name.partition(".")[0]: name for found in self.generated.values() for name in found}


def without_lists() -> WholeNames:
    """What there is when no list is at hand."""
    return WholeNames(made.names(), {}, None)


def gather(folder: Path, corpus: Corpus) -> WholeNames:
    """One pass over the lists below the folder: a minute or less."""
    seen = _Seen(corpus)
    for path in OLDER:
        seen.older.update(label for _, label in seen.labelled(folder / path))
    for path, title in NEWER.items():
        seen.newer[title] = {label for _, label in seen.labelled(folder / path, sort=True)}
    for title, path in SORTS.items():
        seen.sorts[title] = [name for name in _listed(folder / path) if seen.is_new(name)]
    new = {title: (it & seen.benign) - seen.older for title, it in seen.newer.items()}
    both = set().union(*new.values()) & set(corpus.benign["test"])
    newer = {title: sorted(it) for title, it in {**new, "the lists of two makers": both}.items()}
    sorts = {title: list(dict.fromkeys(found)) for title, found in seen.sorts.items() if found}
    return WholeNames(
        {**sorts, **made.names()},
        {k: v for k, v in newer.items() if v},
        _tlds(folder),
        _generated(folder, corpus),
    )


class _Seen:
    """What the pass has found so far."""

    def __init__(self, corpus: Corpus) -> None:
        self._labels = Labels(dynamic_providers(), remembered=0)
        self.benign = {*corpus.benign["test"], *corpus.single}
        self.popular = frozenset(corpus.popular)
        self.older: set[str] = set()
        self.newer: dict[str, set[str]] = {}
        self.sorts: dict[str, list[str]] = {sort: [] for sort in FITS}

    def labelled(self, path: Path, sort: bool = False) -> Iterator[tuple[str, str]]:
        for name in _listed(path):
            what = self._labels.scored(name)
            if sort and self._is_new(name, what):
                self._sort(name, what)
            if isinstance(what, Scorable) and what.kind != "private":
                yield name, what.label

    def is_new(self, name: str) -> bool:
        return self._is_new(name, self._labels.scored(name))

    def _is_new(self, name: str, what: What) -> bool:
        """Benign as far as the corpus knows, and never learned from."""
        if isinstance(what, Unscored) or what.kind == "private":
            return side(name) == "test"
        return side(what.label) == "test" and what.label not in self.popular

    def _sort(self, name: str, what: What) -> None:
        scored = isinstance(what, Scorable) and what.kind != "private"
        if scored and isinstance(what, Scorable) and what.label not in self.benign:
            return
        for sort, fits in FITS.items():
            if fits(name, what):
                self.sorts[sort].append(name)


def _generated(folder: Path, corpus: Corpus) -> dict[str, list[str]]:
    """The labels that are asked about by families; of those under several suffixes the first that is met."""
    wanted = {
        label: family
        for most in SIZES
        for families in families_of(corpus, most).values()
        for family, found in families.items()
        for label in found
    }
    labels, names = Labels(dynamic_providers(), remembered=0), dict[str, list[str]]()
    for name in _listed(folder / GENERATED):
        what = labels.find(name)
        if isinstance(what, Scorable) and what.kind != "private" and what.label in wanted:
            names.setdefault(wanted.pop(what.label), []).append(what.judged)
    return names


def _listed(path: Path) -> Iterator[str]:
    if path.is_file():
        yield from (name for name, *_ in rows(path))


def _tlds(folder: Path) -> Tlds | None:
    """Of the million lists and of the generated names; None when one is missing."""
    paths = [folder / CRUX, folder / TRANCO, folder / GENERATED]
    if not all(path.is_file() for path in paths):
        return None
    crux, tranco, generated = map(_tld_sides, paths)
    both = {half: dict(Counter(crux[half]) + Counter(tranco[half])) for half in crux}
    return Tlds(both, generated)


def _tld_sides(path: Path) -> dict[str, dict[str, int]]:
    halves: dict[str, Counter[str]] = {"train": Counter(), "test": Counter()}
    for number, name in enumerate(_listed(path)):
        halves["test" if number % 2 else "train"][name.rsplit(".", 1)[-1]] += 1
    return {half: dict(found) for half, found in halves.items()}
