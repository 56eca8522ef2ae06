"""The names that anybody can have: lists inside the package `pymispwarninglists`, and names of made-up generators.

What `data.assemble(None)` is made of. The package holds no malware names: what two makers list is all the cleaning.
"""

from collections.abc import Iterable, Iterator

from namewarden.detector.label import warning_list
from namewarden.training import generators

# MISP warning lists of names that people visit, and who made them; as in `data.BENIGN`, Tranco counts Majestic in.
LISTS = {
    "tranco": "tranco",
    "tranco10k": "tranco",
    "majestic_million": "tranco",
    "google-chrome-crux-1million": "crux",
    "cisco_top20k": "umbrella",
    "alexa": "alexa",
    "moz-top500": "moz",
    "university_domains": "special",
    "bank-website": "special",
}
POPULAR = "tranco10k"
EACH_KIND = 60_000  # made-up names of each kind of generator
SEED = 20261122  # not the seed of the names that training adds


def listed(most: int | None = None) -> Iterator[tuple[str, str]]:
    """(name, maker) of every list; `most` entries of each."""
    for name, maker in LISTS.items():
        for entry in warning_list(name)[:most]:
            yield entry, maker


def popular(most: int | None = None) -> list[str]:
    """The ten thousand most popular names; the package sorts them by letter."""
    return warning_list(POPULAR)[:most]


def made(benign: Iterable[str], each: int = EACH_KIND) -> dict[str, str]:
    """Made-up label → kind of generator, beside these benign labels."""
    words = generators.common_words(sorted(benign))
    kinds = generators.by_kind(each, SEED, words)
    return {label: kind for kind, labels in kinds.items() for label in labels}
