"""Local rules and vetted decisions, ready to be asked: by name, by suffix, by expression. Immutable.

A change makes new `Rules` that share the base with those before, so it costs what was changed, not what there is.
Counterparts: `overlay.py` (the file), `decide.py` (precedence).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from namewarden.policy import overlay
from namewarden.policy.names import suffixes
from namewarden.policy.overlay import Overlay
from namewarden.policy.patterns import PatternSet
from namewarden.policy.spec import RuleSpec

Reaches = Callable[[str], bool]  # does a change reach this name?
Found = tuple[bool, int, RuleSpec]  # names it exactly; labels of the name above the rule's
Named = dict[str, tuple[RuleSpec, ...]]
EXPRESSION = 256  # in place of labels: after every suffix
_NONE: frozenset[RuleSpec] = frozenset()
_FEW = 32  # suffixes that are tried one after the other


class Layer:
    """Rules of one file, by name, by suffix, and their expressions."""

    def __init__(self, rules: Iterable[RuleSpec], before: "Layer | None" = None) -> None:
        self.rules = tuple(rules)
        self.exact = _by_name(self.rules, ("exact", "both"))
        self.wide = _by_name(self.rules, ("below", "both"))
        self.expressions = [rule for rule in self.rules if rule.match == "pattern"]
        sources = [rule.name for rule in self.expressions]
        is_same = before is not None and sources == [rule.name for rule in before.expressions]
        self._set: PatternSet = before._set if before and is_same else PatternSet(sources)

    def find(self, name: str, above: Sequence[str]) -> Iterator[Found]:
        for rule in self.exact.get(name, ()):
            yield True, 0, rule
        for labels, suffix in enumerate(above):
            for rule in self.wide.get(suffix, ()):
                yield False, labels, rule
        if self.expressions:
            for place in self._set.search(name):
                yield False, EXPRESSION, self.expressions[place]

    def reaches(self, name: str, above: Sequence[str], gone: frozenset[RuleSpec]) -> bool:
        """Whether a rule that is not gone names it, what is above it, or finds it."""
        if (found := self.exact.get(name)) and not gone.issuperset(found):
            return True
        wide = self.wide
        for suffix in above:
            if (found := wide.get(suffix)) and not gone.issuperset(found):
                return True
        return bool(self.expressions) and any(
            self.expressions[place] not in gone for place in self._set.search(name)
        )


class Rules:
    """What an overlay says. `base` is the layer of the overlay's base."""

    def __init__(
        self, said: Overlay, base: Layer | None = None, before: "Rules | None" = None
    ) -> None:
        self.overlay = said
        self.generation = said.generation
        self.base = base or Layer(())
        self.top: Layer = Layer(said.rules, before.top if before else None)
        self._gone = frozenset(said.gone)
        self.is_empty = not (said.rules or self.base.rules)
        self._is_wide = bool(self.top.wide or self.base.wide)

    def find(self, name: str) -> Iterator[Found]:
        """All whose name or expression fits, expired and other groups' ones too."""
        above = _above(name) if self._is_wide else ()
        yield from self.top.find(name, above)
        gone = self._gone
        for found in self.base.find(name, above):
            if found[2] not in gone:
                yield found

    def reaches(self, name: str) -> bool:
        """Whether a rule names it, what is above it, or finds it."""
        if self.is_empty:
            return False
        above = _above(name) if self._is_wide else ()
        return self.top.reaches(name, above, _NONE) or self.base.reaches(name, above, self._gone)

    def __iter__(self) -> Iterator[RuleSpec]:
        yield from self.top.rules
        yield from (rule for rule in self.base.rules if rule not in self._gone)


def load(path: Path, secret: bytes, before: Rules | None = None) -> Rules:
    """The rules of an overlay's file. The base is read only when it is not that of `before`. ListError."""
    said = overlay.read(path, secret)
    if not said.base:
        return Rules(said, None, before)
    if before is not None and before.overlay.digest == said.digest:
        return Rules(said, before.base, before)
    base = overlay.read(overlay.path_of(path.parent, said.base), secret, said.digest)
    return Rules(said, Layer(base.rules), before)


def changed(before: Rules, now: Rules) -> Reaches | None:
    """Which names the rules that came, went or changed reach; None when expressions are among them."""
    if before.overlay.digest == now.overlay.digest:
        other = set(before.top.rules) ^ set(now.top.rules)
        other |= set(before.overlay.gone) ^ set(now.overlay.gone)
    else:
        other = set(before) ^ set(now)
    return _reaching(other)


def _reaching(rules: set[RuleSpec]) -> Reaches | None:
    if any(rule.match == "pattern" for rule in rules):
        return None
    exact = {rule.name for rule in rules if rule.match != "below"}
    wide = tuple(f".{rule.name.removeprefix('.')}" for rule in rules if rule.match != "exact")
    if len(wide) > _FEW:
        return Rules(Overlay(0, tuple(rules))).reaches
    return lambda name: name in exact or name.endswith(wide)


def _above(name: str) -> list[str]:
    """The suffixes of a name without itself, the closest first, the root last."""
    found = suffixes(name)[1:]
    found.append(".")
    return found


def _by_name(rules: Iterable[RuleSpec], matches: tuple[str, ...]) -> Named:
    found: Named = {}
    for rule in rules:
        if rule.match in matches:
            known = found.get(rule.name)
            found[rule.name] = (*known, rule) if known else (rule,)
    return found
