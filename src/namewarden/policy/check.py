"""What each line of a list became, or why it was skipped: the eyes of `lists check`. Lines are told one by one.

The same reader as the compiler's, and its scan says which lines reach too much; a test holds them together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import dns.rdatatype
from msgspec import Struct

from namewarden.policy import expiry
from namewarden.policy.broad import Popular
from namewarden.policy.lines import ListRule
from namewarden.policy.reader import Reader
from namewarden.policy.rpz import zone_of
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import shown
from namewarden.policy.source import LIMIT, load
from namewarden.policy.spec import ListSpec, Trigger
from namewarden.policy.terms import Terms
from namewarden.policy.why import why

_EFFECTS = {
    "own": "the list's kind",
    "allow": "allowed",
    "ask": "asked as usual where a shorter name is blocked",
}
_FLAGS = {
    "important": "important",
    "is_bad": "the line that says this is taken away",
    "rewrites": "rewritten",
    "inverts": "all other names",
}
_BROAD = (
    "it holds private or special addresses, or too many (a list that says broad = true takes it)"
)
_SILENT = frozenset(("blank", "comment"))
_MATCHES = {
    "exact": "the name alone",
    "below": "only what is below",
    "both": "the name and all below",
    "pattern": "names the expression finds",
}
_TRIGGERS: dict[Trigger, str] = {
    "ip": "as an answer's address",
    "address": "as an answer's address",
    "client-ip": "as who asks",
    "nsdname": "as a name server",
    "nsip": "as a name server's address",
}


class CheckedLine(Struct, frozen=True):
    """One line: its rules, or the reason why it has none."""

    number: int
    text: str  # escaped, for people
    rules: tuple[ListRule, ...] = ()
    reason: str = ""
    reach: int = 0  # popular names, of a line that is refused for them
    why: str = ""  # what more there is to say about the reason; escaped

    @property
    def says(self) -> list[str]:
        """One sentence a rule: name, what it matches, how it is answered."""
        if self.reach:
            most = f"it reaches {self.reach:,} of the 10,000 most popular names"
            return [f"skipped: {self.reason}: {most} (a list that says broad = true takes it)"]
        return [_said(rule) for rule in self.rules] or [f"skipped: {self.reason}"]


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
        return odd(self.skipped)


def odd(skipped: Mapping[str, int]) -> int:
    """Of the lines skipped, by reason, those that are neither blank nor comments."""
    return sum(count for reason, count in skipped.items() if reason not in _SILENT)


def check(
    path: Path, form: str = "auto", popular: Popular | None = None, limit: int = LIMIT
) -> Iterator[CheckedLine]:
    """Every line in order. `popular`: what reaches too many of them is refused. ListError when the file cannot be
    used at all."""
    data = load(path, limit)
    scan = Scan(ListSpec(path.name, str(path), format=form), 0, bytes(32), popular)
    scan.read(data)
    return _lines(data, form, scan)


def totals(lines: Iterable[CheckedLine]) -> Totals:
    counted = Totals(Counter())
    for line in lines:
        counted.add(line)
    return counted


def _lines(data: bytes, form: str, scan: Scan) -> Iterator[CheckedLine]:
    reader = Reader(form, zone_of(data) if form in ("auto", "rpz") else "")
    start, number = 0, 0
    while start < len(data):
        end = data.index(b"\n", start) + 1
        number += 1
        line = data[start : min(end, start + 8192)].decode("utf-8", "replace")
        reading = reader.read(line)
        text = shown(data[start:end])
        if number in scan.refused:
            reach = scan.refused[number]
            yield CheckedLine(
                number, text, reason="broad", reach=reach, why="" if reach else _BROAD
            )
        elif number in scan.untaken:
            yield CheckedLine(number, text, reason="pattern", why="there are too many")
        elif isinstance(reading, str):
            said = shown(why(line, reading).encode("utf-8", "replace"))
            yield CheckedLine(number, text, reason=reading, why=said)
        else:
            yield CheckedLine(number, text, reading)
        start = end


def _said(rule: ListRule) -> str:
    matched = _TRIGGERS.get(rule.trigger) or _MATCHES[rule.match]
    below = "*." if rule.trigger == "nsdname" and rule.match == "below" else ""
    said = f"{below}{rule.name}  {matched}  {_answer(rule)}"
    if rule.match != "exact" and rule.name.count(".") == 1 and rule.match != "pattern":
        said += ", a whole top-level domain"
    return said if rule.terms is None else f"{said}, {_conditions(rule.terms)}"


def _answer(rule: ListRule) -> str:
    if rule.effect == "data":
        return "answers " + ", ".join(f"{kind} {text}" for kind, _, text in rule.records)
    return _EFFECTS.get(rule.effect, rule.effect)


def _conditions(terms: Terms) -> str:
    """Terms for people."""
    words = [word for flag, word in _FLAGS.items() if getattr(terms, flag)]
    words += [f"type {type_text(number)}" for number in terms.types]
    words += [f"not type {type_text(number)}" for number in terms.not_types]
    words += [f"for {shown(text.encode())}" for text in terms.clients]
    words += [f"not for {shown(text.encode())}" for text in terms.not_clients]
    words += [f"not {name}" for name in terms.spared]
    words += [f"until {expiry.shown(terms.expires)}"] if terms.expires else []
    return ", ".join(words)


def type_text(number: int) -> str:
    return dns.rdatatype.to_text(dns.rdatatype.RdataType(number))
