"""Public suffixes as a tree from the right: how many labels of a name are its suffix, in one short walk.

The rules are those of the package `publicsuffixlist`, and so are the answers (its search builds a dozen strings a
name; this one looks up two or three labels). `tests/detector/test_suffixes.py` compares them, rule by rule.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from publicsuffixlist import PSLFILE

# What a rule says of the label it ends at, as the length of the suffix: one less, as long, one more.
_EXCEPTION, _EXACT, _WILD = 1, 2, 3


class _Node:
    """The end of some rules, and what may lie left of it. 0 = no rule ends here."""

    __slots__ = ("below", "dynamic", "every", "icann", "lengths")

    def __init__(
        self, below: "dict[str, _Node]", icann: int = 0, every: int = 0, dynamic: bool = False
    ) -> None:
        self.below = below
        self.lengths: tuple[int, int, int] | None = (
            None  # of the suffixes on the way here, once asked for
        )
        self.icann = icann
        self.every = every
        self.dynamic = dynamic


# Below a node that others may share: ends of the same rules, of the same parent, with nothing left of them.
_NOTHING: dict[str, _Node] = {}


class Suffixes:
    def __init__(self, dynamic: Iterable[str]) -> None:
        self._root = _Node({})
        self._parents: dict[str, _Node] = {"": self._root}
        plain: tuple[list[str], list[str]] = ([], [])
        for rule, is_icann in rules():
            if rule.isascii() and rule[0] not in "!*":
                plain[is_icann].append(rule)
            else:
                self._add(rule, is_icann)
        self._end(plain[False], every=_EXACT)
        self._end(plain[True], icann=_EXACT, every=_EXACT)
        self._end(dynamic, dynamic=True)
        self._parents.clear()  # of use while the tree grows

    def of(self, labels: list[str]) -> tuple[int, int, int]:
        """How many labels the ICANN suffix has, the suffix by all rules, and the dynamic-DNS suffix; 0 = none."""
        node = self._root
        for label in reversed(labels):
            below = node.below.get(label)
            if below is None:
                break
            node = below
        lengths = node.lengths
        if lengths is None:
            lengths = node.lengths = self._lengths(labels)
        icann, every, dynamic = lengths
        most = len(labels)
        return lengths if icann <= most >= every else (min(icann, most), min(every, most), dynamic)

    def _lengths(self, labels: list[str]) -> tuple[int, int, int]:
        """The same, a wildcard's label counted though the name has none there."""
        node, depth, icann, every, dynamic = self._root, 0, 0, 0, 0
        for label in reversed(labels):
            below = node.below.get(label)
            if below is None:
                break
            node = below
            depth += 1
            if node.icann:
                icann = depth + node.icann - _EXACT
            if node.every:
                every = depth + node.every - _EXACT
            if node.dynamic:
                dynamic = depth
        return icann, every, dynamic

    def _add(self, rule: str, is_icann: bool) -> None:
        kind = _EXACT
        if rule[0] == "!":
            rule, kind = rule[1:], _EXCEPTION
        elif rule.startswith("*."):
            rule, kind = rule[2:], _WILD
        for name in [rule] if rule.isascii() else [rule, in_ascii(rule)]:
            node = self._at(name)
            node.every = _stronger(node.every, kind)
            if is_icann:
                node.icann = _stronger(node.icann, kind)

    def _end(
        self, names: Iterable[str], icann: int = 0, every: int = 0, dynamic: bool = False
    ) -> None:
        """Of these names most are leaves, tens of thousands: those of one parent share their node."""
        families: dict[str, list[str]] = {}
        for name in names:
            label, _, rest = name.partition(".")
            families.setdefault(rest, []).append(label)
        for rest, labels in families.items():
            below = (self._parents.get(rest) or self._parent(rest)).below
            leaf = _Node(_NOTHING, icann, every, dynamic)
            for label in labels:
                if below.setdefault(label, leaf) is not leaf:
                    node = self._at(f"{label}.{rest}" if rest else label)
                    node.icann = _stronger(node.icann, icann)
                    node.every = _stronger(node.every, every)
                    node.dynamic |= dynamic

    def _at(self, name: str) -> _Node:
        """The node of this name alone."""
        label, _, rest = name.partition(".")
        below = (self._parents.get(rest) or self._parent(rest)).below
        node = below.get(label)
        if node is None:
            node = below[label] = _Node({})
        elif node.below is _NOTHING:
            node = below[label] = _Node({}, node.icann, node.every, node.dynamic)
        return node

    def _parent(self, name: str) -> _Node:
        node = self._parents[name] = self._at(name)
        return node


def _stronger(one: int, other: int) -> int:
    """Where several rules end at one label: the exception, then the wildcard, then the plain one."""
    return _EXCEPTION if _EXCEPTION in (one, other) else max(one, other)


def in_ascii(rule: str) -> str:
    """A rule is in normal form already: the rest of IDNA would take five times as long."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode").decode()
        for label in rule.split(".")
    )


def rules() -> Iterator[tuple[str, bool]]:
    """Every rule of the list, and whether it is in the ICANN section."""
    is_icann = False
    for line in Path(PSLFILE).read_text(encoding="utf-8").lower().splitlines():
        if line.startswith("//"):
            if line.startswith("// ===begin icann"):
                is_icann = True
            elif line.startswith("// ===end icann"):
                is_icann = False
        elif rule := line.partition(" ")[0].rstrip():
            yield rule, is_icann
