"""How much of what people use a line would reach: a list that is subscribed to must not block the world by one line.

The measure is the 10,000 most popular names (Tranco, as the MISP warning lists have them). Counterpart: `scan.py`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from namewarden.policy.patterns import PatternSet, finds
from namewarden.policy.terms import Terms, is_spared

SHARE = 100  # more than one in so many is too much
_NONE = Terms()


class Popular:
    """Popular names and what they lie below. Immutable."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(f"{name.removesuffix('.')}." for name in names)
        self.limit = len(self.names) // SHARE
        below: Counter[str] = Counter()
        for name in self.names:
            labels = name.split(".")
            below.update(".".join(labels[at:]) for at in range(len(labels) - 1))
        self.wide = {name: count for name, count in below.items() if count > self.limit}
        self.wide["."] = len(self.names)

    def below(self, name: str, terms: Terms | None = None) -> int:
        """How many are the name or below it, less those that the terms spare."""
        count = self.wide.get(name, 0)
        if not count or terms is None or not terms.spared:
            return count
        return sum(
            (name == "." or one == name or one.endswith(f".{name}")) and not is_spared(terms, one)
            for one in self.names
        )

    def examples(self, name: str) -> list[str]:
        """Three that are below a name, the shortest."""
        below = [one[:-1] for one in self.names if one.endswith(f".{name}")]
        return sorted(below, key=lambda one: (len(one), one))[:3]

    def found(self, sources: Sequence[tuple[str, Terms | None]]) -> list[int]:
        """How many each expression speaks about."""
        plain = PatternSet([source for source, _ in sources])
        hits: list[list[str]] = [[] for _ in sources]
        for name in self.names:
            for at in plain.search(name):
                hits[at].append(name)
        return [
            self._spoken(source, terms or _NONE, found)
            for (source, terms), found in zip(sources, hits, strict=True)
        ]

    def _spoken(self, source: str, terms: Terms, found: list[str]) -> int:
        if terms.inverts:
            found = [name for name in self.names if not finds(source, name)]
        if not terms.spared:
            return len(found)
        return sum(not is_spared(terms, name) for name in found)


def popular() -> Popular:
    """Read from the package of warning lists; nothing where it is not installed."""
    package = find_spec("pymispwarninglists")  # its data alone: to import it costs more
    if package is None or not package.submodule_search_locations:
        return Popular(())
    folder = Path(package.submodule_search_locations[0], "data", "misp-warninglists", "lists")
    entries = json.loads((folder / "tranco10k" / "list.json").read_text(encoding="utf-8"))["list"]
    return Popular(entry.lower().strip(".") for entry in entries)
