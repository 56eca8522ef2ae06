"""Benign names that are hard: which share of each sort reaches each threshold, and what becomes of the names.

Sorts of labels are told by a rule over the benign test labels; sorts of whole names come from `names.py` and
`made.py`. Typo registrations are shown, not counted as errors: many of them are malicious.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from namewarden.detector.label import Labels
from namewarden.evaluation.intervals import Share
from namewarden.evaluation.page import COLUMNS, between, percent, table
from namewarden.evaluation.product import Outcome, judge_names
from namewarden.training.measure import sample
from namewarden.training.recipe import Judge

MOST = 5000
SUFFIX = ".com"  # under which labels without a name are judged: an ordinary one
VOWELS = re.compile("[aeiouy]")
COINED = re.compile(r"[a-z]{3,8}(ly|ify|oo|ora|ivo|ixa|zy|ex|ix|eo|ster|able|izr|scape)")
ADS = re.compile(
    r"(^|-)(ads?|pixel|click|track|trk|stat)(s|ing|er|-|$)|adserv|analytic|metric|tracker|tracking|advert"
)

RULES: dict[str, Callable[[str], bool]] = {
    "internationalized (xn--)": lambda label: label.startswith("xn--"),
    "numeric": lambda label: label.replace("-", "").isdigit(),
    "letters and digits mixed": lambda label: label.isalnum() and label[:1].isdigit() and not label.isdigit(),
    "at most 5 characters": lambda label: len(label) <= 5,
    "initials, no vowel": lambda label: label.isalpha() and len(label) <= 8 and not VOWELS.search(label),
    "two hyphens or more": lambda label: label.count("-") > 1 and not label.startswith("xn--"),
    "at least 20 characters": lambda label: len(label) >= 20,
    "coined brands (by their endings)": lambda label: bool(COINED.fullmatch(label)),
    "advertising and tracking (by their words)": lambda label: bool(ADS.search(label)),
}  # fmt: skip

Buckets = dict[str, Outcome]


def measure(
    benign: Sequence[str],
    names: Mapping[str, Sequence[str]],
    judge: Judge,
    limits: Sequence[float],
    labels: Labels,
    most: int = MOST,
) -> Buckets:
    """Sorts of benign labels first, then sorts of names; at most so many of each."""
    sorts = {
        sort: [label + SUFFIX for label in benign if fits(label)] for sort, fits in RULES.items()
    }
    return {
        sort: judge_names(sample(found, most), judge, limits, labels)
        for sort, found in {**sorts, **names}.items()
        if found
    }


def show(found: Buckets) -> str:
    reached = (COLUMNS[0], "reach review", "reach block")
    head = ["sort", "names", "never scored", *reached, "in review", "blocked"]
    return table(head, (_row(sort, judged) for sort, judged in found.items()))


def _row(sort: str, judged: Outcome) -> list[str]:
    reached = [_share(share) for share in judged.reached]
    counts = [f"{judged.blocked.names:,}", f"{judged.unscored:,}"]
    return [sort, *counts, *reached, f"{judged.review.hits:,}", f"{judged.blocked.hits:,}"]


def _share(share: Share) -> str:
    return f"{percent(share.rate)} ({between(share.low, share.high)})"
