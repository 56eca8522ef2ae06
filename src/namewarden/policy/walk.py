"""Every name that the policy in force speaks about, one line of it after the other: for other formats and for people.
What is triggered by an address or a name server is not among them: that is no name, and most formats have no word
for it.

Rules and decisions first, then the lists in order, each line as the compiler read it: what comes earlier decides where
two speak about the same name (`decide.py` has the precedence of allow and deny). Lazily: a MiB of a list at a time.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from msgspec import Struct

from namewarden.policy import layout
from namewarden.policy.decide import Policy, rule_text
from namewarden.policy.lines import ListRule
from namewarden.policy.scan import Scan
from namewarden.policy.snapshot import Snapshot, shown
from namewarden.policy.spec import ListSpec, Match
from namewarden.policy.terms import Terms

LineAction = Literal[
    "allow",
    "deny",
    "redirect",
    "guard",
    "nxdomain",
    "nodata",
    "drop",
    "tcp-only",
    "data",
    "refused",
    "ask",
]  # deny and redirect: as the client's group says; ask: lifts what shorter names of lists deny
_MATCHES: dict[int, Match] = {code: match for match, code in layout.MATCHES.items()}
_ACTIONS: dict[int, LineAction] = {
    layout.RECORD: "data",
    layout.DENY: "deny",
    layout.ALLOW: "allow",
    layout.GUARD: "guard",
    layout.NXDOMAIN: "nxdomain",
    layout.NODATA: "nodata",
    layout.DROP: "drop",
    layout.TCP_ONLY: "tcp-only",
    layout.REFUSED: "refused",
    layout.ASK: "ask",
}


class Found(Struct, frozen=True):
    """What a line says."""

    offset: int
    name: str
    match: Match
    code: int  # of the effect, as in layout
    records: tuple[tuple[str, int, str], ...] = ()
    terms: Terms | None = None


class PolicyLine(Struct, frozen=True, gc=False):
    """What a line of a list, or a rule, says about a name."""

    name: str  # lower-case FQDN, or RE2 source when match is pattern
    match: Match
    action: LineAction
    source: str  # the list; "rule" for local rules and decisions
    number: int  # of the line; 0 = a rule
    text: str  # the line, or the rule as people write it; escaped
    records: tuple[tuple[str, int, str], ...] = ()  # of action data: type, TTL s, rdata
    terms: Terms | None = None  # which must hold
    groups: tuple[str, ...] = ()  # of a rule; empty = all
    expires: float = 0.0  # epoch seconds; 0 = never


def walk(policy: Policy, now: float) -> Iterator[PolicyLine]:
    """All lines in force at `now` (epoch seconds); repeats of a name in a list too."""
    for rule in sorted(policy.rules, key=lambda rule: (rule.id, rule.name)):
        if not rule.expires or rule.expires > now:
            yield PolicyLine(
                rule.name, rule.match, rule.effect, "rule", 0, rule_text(rule),
                groups=rule.groups, expires=rule.expires,
            )  # fmt: skip
    for rank in range(len(policy.snapshot.report)):
        for line in walk_list(policy.snapshot, rank):
            if not line.expires or line.expires > now:
                yield line


def walk_list(snapshot: Snapshot, rank: int) -> Iterator[PolicyLine]:
    """The lines of one list that are rules, expired ones too."""
    report, zone = snapshot.report[rank], snapshot.meta.blob.sections[rank].zone
    reader = _Reading(
        ListSpec(report.name, report.path, report.kind, report.format, report.broad), zone
    )
    refused = frozenset(snapshot.meta.blob.sections[rank].refused)
    number = 1
    for start, piece in snapshot.pieces(rank):
        at = 0
        for one in reader.of_piece(piece, start):
            here = one.offset - start
            number += piece.count(b"\n", at, here)
            at = here
            if number in refused:
                continue
            text = piece[piece.rfind(b"\n", 0, here) + 1 : piece.find(b"\n", here)]
            yield PolicyLine(
                one.name, one.match, _ACTIONS[one.code], report.name, number, shown(text),
                one.records, one.terms, expires=one.terms.expires if one.terms else 0.0,
            )  # fmt: skip
        number += piece.count(b"\n", at)


class _Reading(Scan):
    """The compiler's reader, which here gives what it read back instead of packing it."""

    def __init__(self, spec: ListSpec, zone: str) -> None:
        super().__init__(spec, 0, bytes(32))
        self._plain = None  # the helper makes entries, and here names are wanted
        self.begin(zone)
        self._found: list[Found] = []

    def of_piece(self, piece: bytes, start: int) -> list[Found]:
        self._chunk(piece, start)
        found, self._found = self._found, []
        found.sort(key=lambda one: one.offset)
        return found

    def _take(self, names: list[bytes], offsets: layout.Words, kinds: list[int]) -> None:
        for name, offset, kind in zip(names, offsets.astype(np.int64).tolist(), kinds, strict=True):
            self._found.append(Found(offset, f"{name.decode()}.", _MATCHES[kind >> 3], kind & 7))

    def _trigger(self, rule: ListRule, code: int, offset: int) -> bool:
        """Addresses and name servers are no names that are asked."""
        return True

    def _record(self, rule: ListRule, match: int, code: int, offset: int) -> bool:
        self._found.append(Found(offset, rule.name, rule.match, code, rule.records, rule.terms))
        return True

    def _pattern(self, rule: ListRule, code: int, offset: int) -> bool:
        return self._record(rule, 0, code, offset)
