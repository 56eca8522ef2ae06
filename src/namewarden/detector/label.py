"""What is scored of a name: the label left of the public suffix, never the whole host.

`Labels.scored(name)` answers for any name at all; its counterparts are `stages/verdict.py` and the training data,
which must both see a name as the product scores it.
"""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from namewarden.detector.suffixes import Suffixes

Kind = Literal["icann", "dynamic", "private"]
Why = Literal[
    "single_label", "reverse", "service", "suffix", "unknown_suffix", "malformed", "platform"
]

# Suffixes outside the root zone under which malware does register names (Namecoin, EmerDNS).
OTHER_ROOTS = frozenset({"bit", "bazar", "coin", "emc", "lib"})
# Dynamic-DNS providers that the warning lists lack and malware uses.
OTHER_PROVIDERS = frozenset({"yi.org", "dynserv.com"})
# Clouds and CDNs that name their customers themselves: such a label says nothing about the customer.
PLATFORMS = frozenset(
    {"akadns.net", "akamai.net", "akamaiedge.net", "akamaihd.net", "amazonaws.com", "awsglobalaccelerator.com",
     "azurefd.net", "cdn77.org", "cloudfront.net", "edgekey.net", "edgesuite.net", "elasticbeanstalk.com",
     "fastly.net", "run.app", "trafficmanager.net"}
)  # fmt: skip
REMEMBERED = 16_384  # names, 6 MB
PERMITTED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


class Scorable(Struct, frozen=True, gc=False):
    """The label that is judged, and how far the judgement may go."""

    label: str
    kind: Kind  # private: a CDN's or cloud's customer, at most review by name alone
    registrable: str  # the ICANN registrable domain, without the final dot
    judged: str  # the label and the suffix it stands under, without the final dot


class Unscored(Struct, frozen=True, gc=False):
    """A name the model has no opinion on, and why."""

    reason: Why


_ICANN: Kind = "icann"
_UNSCORED: dict[Why, Unscored] = {why: Unscored(why) for why in get_args(Why)}


class Labels:
    """The public suffixes and dynamic-DNS providers, read once. `scored` remembers the last names."""

    scored: Callable[[str], Scorable | Unscored]

    def __init__(self, dynamic: Iterable[str], remembered: int = REMEMBERED) -> None:
        self._lengths = Suffixes(dynamic).of
        self.scored = lru_cache(maxsize=remembered)(self.find)

    def find(self, name: str) -> Scorable | Unscored:
        """As `scored`, and remembers nothing: for who asks for each name once."""
        name = name.lower().removesuffix(".")
        labels = name.split(".")
        if len(labels) < 2:
            return _UNSCORED["single_label"]
        if "" in labels:
            return _UNSCORED["malformed"]
        if labels[-1] == "arpa":
            return _UNSCORED["reverse"]
        return self._left_of_suffix(name, labels)

    def _left_of_suffix(self, name: str, labels: list[str]) -> Scorable | Unscored:
        icann, every, dynamic = self._lengths(labels)
        if not icann:
            if labels[-1] not in OTHER_ROOTS:
                return _UNSCORED["unknown_suffix"]
            icann = 1
        above = len(labels) - icann
        if above <= 0:
            return _UNSCORED["suffix"]
        registrable = name if above == 1 else ".".join(labels[above - 1 :])
        if dynamic <= icann >= every:
            depth, kind = icann, _ICANN
        else:
            depth, kind = _customers(icann, every, dynamic)
        if kind == "private" and registrable in PLATFORMS:
            return _UNSCORED["platform"]
        if len(labels) <= depth:
            return _UNSCORED["suffix"]
        label = labels[-depth - 1]
        if label[0] == "_":
            # not `_x.` further left: anybody can put that before a generated name
            return _UNSCORED["service"]
        if not _is_host(label):
            return _UNSCORED["malformed"]
        judged = registrable if depth == icann else ".".join(labels[-depth - 1 :])
        return Scorable(label, kind, registrable, judged)


def _customers(icann: int, every: int, dynamic: int) -> tuple[int, Kind]:
    """How many labels the suffix has below which strangers get names, and which kind it is."""
    if dynamic > icann:
        return max(dynamic, every), "dynamic"
    return (every, "private") if every > icann else (icann, "icann")


def _is_host(label: str) -> bool:
    if len(label) > 63:
        return False
    return (label.isascii() and label.isalnum()) or PERMITTED.issuperset(label)


def dynamic_providers() -> list[str]:
    """The suffixes of dynamic-DNS providers, from the MISP warning lists and our own."""
    return [*warning_list("dynamic-dns"), *sorted(OTHER_PROVIDERS)]


def warning_list(name: str) -> list[str]:
    """The entries of one MISP warning list, without the leading dot that means 'and all below'."""
    package = find_spec(
        "pymispwarninglists"
    )  # its data alone: to import it would cost more than to read them
    assert package is not None and package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0], "data", "misp-warninglists", "lists", name)
    entries = json.loads((folder / "list.json").read_text(encoding="utf-8"))["list"]
    return [entry.lower().lstrip(".") for entry in entries]
