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

    __slots__ = ("below", "dynamic", "every", "icann")

    def __init__(self) -> None:
        self.below: dict[str, _Node] = {}
        self.icann = self.every = 0
        self.dynamic = False


class Suffixes:
    def __init__(self, dynamic: Iterable[str]) -> None:
        self._root = _Node()
        for rule, is_icann in rules():
            self._add(rule, is_icann)
        for name in dynamic:
            self._at(name).dynamic = True

    def of(self, labels: list[str]) -> tuple[int, int, int]:
        """How many labels the ICANN suffix has, the suffix by all rules, and the dynamic-DNS suffix; 0 = none."""
        node, depth, icann, every, dynamic = self._root, 0, 0, 0, 0
        for label in reversed(labels):
            found = node.below.get(label)
            if found is None:
                break
            node = found
            depth += 1
            if node.icann:
                icann = depth + node.icann - _EXACT
            if node.every:
                every = depth + node.every - _EXACT
            if node.dynamic:
                dynamic = depth
        most = len(labels)
        return min(icann, most), min(every, most), dynamic

    def _add(self, rule: str, is_icann: bool) -> None:
        kind = _EXACT
        if rule[0] == "!":
            rule, kind = rule[1:], _EXCEPTION
        elif rule.startswith("*."):
            rule, kind = rule[2:], _WILD
        for name in [rule] if rule.isascii() else [rule, rule.encode("idna").decode()]:
            node = self._at(name)
            node.every = _stronger(node.every, kind)
            if is_icann:
                node.icann = _stronger(node.icann, kind)

    def _at(self, name: str) -> _Node:
        node = self._root
        for label in reversed(name.split(".")):
            below = node.below.get(label)
            if below is None:
                below = node.below[label] = _Node()
            node = below
        return node


def _stronger(one: int, other: int) -> int:
    """Where several rules end at one label: the exception, then the wildcard, then the plain one."""
    return _EXCEPTION if _EXCEPTION in (one, other) else max(one, other)


def rules() -> Iterator[tuple[str, bool]]:
    """Every rule of the list, and whether it is in the ICANN section."""
    is_icann = False
    for line in Path(PSLFILE).read_text(encoding="utf-8").splitlines():
        if line.startswith("// ===BEGIN ICANN"):
            is_icann = True
        elif line.startswith("// ===END ICANN"):
            is_icann = False
        rule = line.lower().split(" ")[0].rstrip()
        if rule and not rule.startswith("//"):
            yield rule, is_icann
