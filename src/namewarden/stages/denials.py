"""Denials prepared when a policy is taken: what a list's plain line answers, made once by the functions of the chain.

Only what is plain: one or more denials by lists, and nothing else that could speak. Special names, own records, local
rules, expressions that find the name, allow entries, lines with terms and RPZ zones send the query down the chain.
Counterparts: `lists.py` and `record.py`, whose answer and event these are; the packet cache of `net/`.
"""

import sys
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple
from zlib import crc32

from msgspec.structs import replace

from namewarden.policy import chosen, layout
from namewarden.policy.decide import Policy, denied
from namewarden.policy.snapshot import Hit, Snapshot
from namewarden.policy.spec import GroupSpec
from namewarden.query import Event, Query
from namewarden.stages.block import blocked
from namewarden.stages.record import to_event
from namewarden.wire.answers import to_wire
from namewarden.wire.prepared import EACH, EDNS, KINDS
from namewarden.wire.types import type_name

_QUESTION = b"\x01a\x01b\0"  # the SOA of a denial is owned by `b.`
_BEFORE = 12 + len(_QUESTION) + 4
_ROOMY = 65535
_SILENT = frozenset({"drop"})


class Prepared(NamedTuple):
    """One message, without its id and its question, for a name whose first label has one octet."""

    head: bytes  # the header, its id 0
    tail: bytes  # what follows the question
    code: int  # of its event


Said = tuple[GroupSpec, str]  # to whom, by which list
Message = tuple[bytes, bytes, Event]  # as Prepared, for whatever source


class Denials(NamedTuple):
    """What the clients of one group get. The C helper takes the fields by their place."""

    answers: tuple[
        Prepared | None, ...
    ]  # [EACH * list + 3 * kind + edns]; None: the group does not use the list
    reserved: bytes  # bits of the CRC-32 of names at or below which others speak; false hits cost time only
    is_ruled: Callable[[str], bool]
    api: object | None  # of the C look-up
    source: "Source"
    find: Callable[[str], tuple[int, int] | None]  # name → list and offset of the line that decides


class Source:
    """What the rows of one snapshot mean. Rows keep it, and with it the snapshot, until they are sent."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._events: dict[Event, int] = {}

    def code_of(self, event: Event) -> int:
        """A number for what events share; the type is added to it."""
        return self._events.setdefault(replace(event, rule=""), len(self._events)) << 16

    def event_of(self, code: int) -> Event:
        return replace(list(self._events)[code >> 16], qtype=type_name(code & 0xFFFF))

    def lines(self, hits: bytes) -> str:
        return self._snapshot.lines(hits)

    def event_at(self, code: int, hit: int, name: str) -> Event:
        rule = self.lines(hit.to_bytes(8, sys.byteorder))
        return replace(self.event_of(code), name=name, rule=rule)


class PreparedDenials:
    """Those of the policy in force, made when the first client of a group asks."""

    def __init__(self, policy: Callable[[], Policy], reserved: Iterable[str], source: str) -> None:
        self._policy = policy
        self._names = frozenset(reserved)
        self._reserved = _bits(self._names)
        self._of = source  # of the events
        self._source: Source | None = None
        self._snapshot: Snapshot | None = None
        self._answers: dict[str, tuple[Prepared | None, ...]] = {}
        self._messages: dict[Said, list[Message]] = {}  # of the snapshots before, too

    def of(self, group: str) -> Denials | None:
        """None where no denial is plain."""
        policy = self._policy()
        spec = policy.groups.named(group)
        if spec.block in _SILENT or "." in self._names:
            return None
        if policy.snapshot is not self._snapshot or self._source is None:
            self._snapshot, self._answers = policy.snapshot, {}
            self._keep({each.name for each in policy.snapshot.report}, policy.snapshot.spec.groups)
            self._source = Source(policy.snapshot)
        answers = self._answers.get(group)
        if answers is None:
            answers = self._answers[group] = self._prepare(policy, spec, self._source)
        lookup = policy.snapshot.lookup
        api = lookup.api if lookup else None
        find = _finder(policy.snapshot, answers, self._names)
        return Denials(answers, self._reserved, policy.is_ruled, api, self._source, find)

    def _prepare(
        self, policy: Policy, spec: GroupSpec, source: Source
    ) -> tuple[Prepared | None, ...]:
        ranks = policy.ranks(spec)
        made: list[Prepared | None] = []
        for rank, each in enumerate(policy.snapshot.report):
            if ranks is not None and rank not in ranks:
                made += [None] * EACH
            else:
                made += [
                    Prepared(head, tail, source.code_of(event))
                    for head, tail, event in self._of_list(spec, each.name)
                ]
        return tuple(made)

    def _of_list(self, spec: GroupSpec, name: str) -> list[Message]:
        """Made once: for thirty lists that takes 15 ms, in which nobody else is answered."""
        key = spec, name
        if (made := self._messages.get(key)) is None:
            made = [self._message(kind, edns, spec, name) for kind in KINDS for edns in EDNS]
            self._messages[key] = made
        return made

    def _keep(self, names: Container[str], groups: Iterable[GroupSpec]) -> None:
        """What the snapshot may ask for again."""
        known = {*groups, self._policy().groups.default}
        self._messages = {
            key: made for key, made in self._messages.items() if key[0] in known and key[1] in names
        }

    def _message(self, kind: int, edns: tuple[int, bool], spec: GroupSpec, name: str) -> Message:
        payload, do = edns
        question = _QUESTION + kind.to_bytes(2) + b"\0\1"
        query = Query(
            0, "a.b.", kind, "", "udp", 0.0, question, rd=False, do=do, payload=payload, group=spec.name
        )  # fmt: skip
        answer = blocked(query, denied(spec, f"{name}:", chosen.is_ours(name)))
        wire = to_wire(query, answer, 0.0, _ROOMY)
        event = to_event(query, answer, 0.0, 0.0, self._of)
        return wire[:12], wire[_BEFORE:], event


def _bits(names: frozenset[str]) -> bytes:
    size = 1 << max((1024 * len(names)).bit_length(), 10)  # of a thousand names one looks reserved
    bits = bytearray(size // 8)
    for name in names:
        at = crc32(name[:-1].encode()) & (size - 1)
        bits[at >> 3] |= 1 << (at & 7)
    return bytes(bits)


def _is_plain(hit: Hit) -> bool:
    return hit.effect == layout.DENY and (hit.record is None or hit.record.terms is None)


def _finder(
    snapshot: Snapshot, answers: tuple[Prepared | None, ...], reserved: frozenset[str]
) -> Callable[[str], tuple[int, int] | None]:
    """The look-up of the C helper in Python."""

    def is_reserved(name: str) -> bool:
        while name not in reserved:
            name = name.partition(".")[2]
            if not name:
                return False
        return True

    def find(name: str) -> tuple[int, int] | None:
        hits = snapshot.find(name)
        if not hits or not all([_is_plain(hit) for hit in hits]):
            return None
        if name.count(".") < 2 or is_reserved(name):
            return None
        for hit in hits:
            if answers[EACH * hit.list] is not None:
                return hit.list, hit.offset
        return None

    return find
