"""What is scored of a name: the label left of the public suffix, never the whole host.

`Labels.scored(name)` answers for any name at all; its counterparts are `stages/verdict.py` and the training data,
which must both see a name as the product scores it.
"""

import json
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from msgspec import Struct
from publicsuffixlist import PublicSuffixList

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
REMEMBERED = 65_536
PERMITTED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


class Scorable(Struct, frozen=True, gc=False):
    """The label that is judged, and how far the judgement may go."""

    label: str
    kind: Kind  # private: a CDN's or cloud's customer, at most review by name alone
    registrable: str  # the ICANN registrable domain, without the final dot


class Unscored(Struct, frozen=True, gc=False):
    """A name the model has no opinion on, and why."""

    reason: Why


class Labels:
    """The public suffixes and dynamic-DNS providers, read once. `scored` remembers the last names."""

    scored: Callable[[str], Scorable | Unscored]

    def __init__(self, dynamic: Iterable[str], remembered: int = REMEMBERED) -> None:
        self._icann = PublicSuffixList(only_icann=True, accept_unknown=False)
        self._all = PublicSuffixList(accept_unknown=False)
        self._dynamic = frozenset(dynamic)
        self._depth = 1 + max((name.count(".") for name in self._dynamic), default=0)
        self.scored = lru_cache(maxsize=remembered)(self._scored)

    def _scored(self, name: str) -> Scorable | Unscored:
        plain = name[:-1] if name.endswith(".") else name
        labels = plain.split(".")
        if len(labels) < 2:
            return Unscored("single_label")
        why = _never(labels)
        return Unscored(why) if why else self._left_of_suffix(plain, labels)

    def _left_of_suffix(self, plain: str, labels: list[str]) -> Scorable | Unscored:
        icann = self._icann.publicsuffix(plain)
        if icann is None:
            if labels[-1] not in OTHER_ROOTS:
                return Unscored("unknown_suffix")
            icann = labels[-1]
        depth = icann.count(".") + 1
        if len(labels) <= depth:
            return Unscored("suffix")
        registrable = ".".join(labels[-depth - 1 :])
        depth, kind = self._customers(plain, labels, depth)
        if kind == "private" and registrable in PLATFORMS:
            return Unscored("platform")
        if len(labels) <= depth:
            return Unscored("suffix")
        label = labels[-depth - 1]
        if label[0] == "_":
            return Unscored(
                "service"
            )  # not `_x.` further left: anybody can put that before a generated name
        return Scorable(label, kind, registrable) if _is_host(label) else Unscored("malformed")

    def _customers(self, plain: str, labels: list[str], icann: int) -> tuple[int, Kind]:
        """How many labels the suffix has below which strangers get names, and which kind it is."""
        suffix = self._all.publicsuffix(plain)
        private = suffix.count(".") + 1 if suffix else icann
        for depth in range(min(self._depth, len(labels)), icann, -1):
            if ".".join(labels[-depth:]) in self._dynamic:
                return max(depth, private), "dynamic"
        return (private, "private") if private > icann else (icann, "icann")


def _never(labels: list[str]) -> Why | None:
    if "" in labels:
        return "malformed"
    if labels[-1] == "arpa":
        return "reverse"
    return None


def _is_host(label: str) -> bool:
    return len(label) <= 63 and PERMITTED.issuperset(label)


def dynamic_providers() -> list[str]:
    """The suffixes of dynamic-DNS providers, from the MISP warning lists and our own."""
    return [*warning_list("dynamic-dns"), *sorted(OTHER_PROVIDERS)]


def warning_list(name: str) -> list[str]:
    """The entries of one MISP warning list, without the leading dot that means 'and all below'."""
    folder = files("pymispwarninglists").joinpath("data", "misp-warninglists", "lists", name)
    entries = json.loads(folder.joinpath("list.json").read_text(encoding="utf-8"))["list"]
    return [entry.lower().lstrip(".") for entry in entries]
