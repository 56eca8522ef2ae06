"""What each line of a list became, or why it was skipped: the eyes of `lists check`. Streams; keeps nothing.

The same reader as the compiler's; a test holds them together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from namewarden.policy.compile import LIMIT, load
from namewarden.policy.formats import ListRule
from namewarden.policy.rpz import Reader, zone_of
from namewarden.policy.snapshot import shown

_SILENT = frozenset(("blank", "comment"))
_MATCHES = {
    "exact": "the name alone",
    "below": "only what is below",
    "both": "the name and all below",
    "pattern": "names the expression finds",
}


class CheckedLine(Struct, frozen=True):
    """One line: its rules, or the reason why it has none."""

    number: int
    text: str  # escaped, for people
    rules: tuple[ListRule, ...] = ()
    reason: str = ""

    @property
    def says(self) -> list[str]:
        """One sentence a rule: name, what it matches, how it is answered."""
        return [f"{rule.name}  {_MATCHES[rule.match]}  {_answer(rule)}" for rule in self.rules] or [
            f"skipped: {self.reason}"
        ]


class Totals(Struct):
    """Counts of a whole file."""

    skipped: Counter[str]
    lines: int = 0
    rules: int = 0  # lines that became rules

    def add(self, line: CheckedLine) -> None:
        self.lines += 1
        if line.rules:
            self.rules += 1
        else:
            self.skipped[line.reason] += 1

    @property
    def odd(self) -> int:
        """Lines skipped that are neither blank nor comments."""
        return sum(count for reason, count in self.skipped.items() if reason not in _SILENT)


def check(path: Path, form: str = "auto", limit: int = LIMIT) -> Iterator[CheckedLine]:
    """Every line in order. ListError when the file cannot be used at all."""
    return _lines(load(path, limit), form)


def totals(lines: Iterable[CheckedLine]) -> Totals:
    counted = Totals(Counter())
    for line in lines:
        counted.add(line)
    return counted


def _lines(data: bytes, form: str) -> Iterator[CheckedLine]:
    reader = Reader(form, zone_of(data) if form in ("auto", "rpz") else "")
    start, number = 0, 0
    while start < len(data):
        end = data.index(b"\n", start) + 1
        number += 1
        reading = reader.read(data[start : min(end, start + 8192)].decode("utf-8", "replace"))
        text = shown(data[start:end])
        if isinstance(reading, str):
            yield CheckedLine(number, text, reason=reading)
        else:
            yield CheckedLine(number, text, reading)
        start = end


def _answer(rule: ListRule) -> str:
    if rule.effect == "data":
        return "answers " + ", ".join(f"{kind} {text}" for kind, _, text in rule.records)
    return {"own": "the list's kind", "allow": "allowed"}.get(rule.effect, rule.effect)
