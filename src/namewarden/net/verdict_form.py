"""The words of the verdict API: what a request may say, and an answer of the chain as a verdict for another server.

Counterparts: `verdicts.py` (asks the chain), `contract/verdict.json` (fixes them for those who ask).
"""

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from namewarden.net.http import HttpError
from namewarden.query import Answer, Query, Verdict
from namewarden.wire.errors import WireError
from namewarden.wire.message import query_for
from namewarden.wire.names import from_wire, to_wire
from namewarden.wire.types import type_number

SHOWN = 300  # characters of what was no name
FLEETING = frozenset({"model_late", "fault", "limit", "upstream"})  # true now only, not to be kept
REMEMBERED = 8192  # addresses: clients ask again, and so do names lead to the same servers
# A name as `wire/` makes it, which nearly every name is: it needs no reading.
_AS_READ = re.compile(r"(?=.{2,254}\Z)(?:[a-z0-9_-]{1,63}\.)+", re.ASCII)
Few = Annotated[list[str], Meta(max_length=64)]
Spell = Callable[[str], str]  # makes an A-label of what people write


class GivenAnswer(Struct, forbid_unknown_fields=True):
    """What another server is about to answer."""

    names: Few = []  # of the CNAME chain in order
    targets: Few = []  # where HTTPS and SVCB records lead
    addresses: Few = []  # of A and AAAA, hints of HTTPS and SVCB, and what is added for their targets


class VerdictQuery(Struct, forbid_unknown_fields=True):
    """One name to be judged, or with `answer` the answer that it has."""

    name: str
    client: str
    qtype: str | int = "A"
    answer: GivenAnswer | None = None


class VerdictRequest(Struct, forbid_unknown_fields=True):
    queries: list[VerdictQuery]


class ShownAnswer(Struct):
    """How a refused name is answered."""

    mode: str
    addresses: tuple[str, ...]
    records: tuple[tuple[str, int, str], ...]
    ttl: int
    ede: tuple[tuple[int, str], ...]  # RFC 8914 info-code and text


class VerdictReply(Struct):
    """One verdict as it goes out."""

    id: str
    name: str
    action: str
    reason: str
    rule: str
    family: str
    score: float | None
    band: str
    model: str
    shadow: str
    answer: ShownAnswer | None  # null: answered as asked
    ttl: int  # seconds the verdict may be kept
    group: str | UnsetType = UNSET  # the client's
    scope: str | UnsetType = UNSET  # clients of one scope get the same verdicts, in one generation
    error: str | UnsetType = UNSET  # why the name is none: then the rest says nothing


def read_batch(body: bytes, most: int) -> list[VerdictQuery]:
    """HttpError."""
    try:
        queries = msgspec.json.decode(body, type=VerdictRequest).queries
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"the body does not fit: {error}") from error
    if len(queries) > most:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a batch has at most {most} queries")
    return queries


def to_query(place: int, asked: VerdictQuery, spell: Spell, now: float) -> Query:
    """WireError for what is no name; HttpError for what a program made wrong."""
    try:
        client = _address(asked.client)
        qtype = type_number(asked.qtype) if isinstance(asked.qtype, str) else asked.qtype
        if not 0 <= qtype <= 65_535:
            raise ValueError(f"there is no type {qtype}")
    except (WireError, ValueError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"queries[{place}]: {error}") from error
    return query_for(_spelled(asked.name, spell), qtype, client, "api", now)


def to_answer(place: int, given: GivenAnswer, spell: Spell) -> Answer:
    """As an upstream would have answered, without the bytes. WireError, HttpError as above."""
    try:
        addresses = tuple(map(_address, given.addresses))
    except ValueError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"queries[{place}].answer: {error}") from error
    return Answer(
        0,
        cnames=_names(given.names, spell),
        addresses=addresses,
        targets=_names(given.targets, spell),
    )


def _names(given: list[str], spell: Spell) -> tuple[str, ...]:
    return tuple(each if _AS_READ.fullmatch(each) else _read(each, spell) for each in given)


def _read(name: str, spell: Spell) -> str:
    return from_wire(to_wire(_spelled(name, spell)), 0)[0]


@lru_cache(REMEMBERED)
def _address(text: str) -> str:
    """ValueError."""
    return str(ipaddress.ip_address(text))


def _spelled(name: str, spell: Spell) -> str:
    if not name:
        raise WireError("the name is empty")
    return spell(name)


def no_name(identity: str, name: str, error: str) -> VerdictReply:
    return VerdictReply(
        identity, name[:SHOWN], "allow", "unscored", "", "", None, "error", "", "", None, 0, error=error
    )  # fmt: skip


def to_reply(identity: str, query: Query, answer: Answer, epoch: float) -> VerdictReply:
    """An answer of the chain as a verdict for another server. No verdict means that nothing spoke about the name.

    It may be kept no longer than the rule that made it lives.
    """
    verdict = answer.verdict or Verdict("allow", "none")
    shown = (
        ShownAnswer(verdict.mode, verdict.addresses, verdict.records, verdict.ttl, answer.ede)
        if verdict.mode
        else None
    )
    left = max(int(verdict.expires - epoch), 0) if verdict.expires else verdict.ttl
    left = (
        min(left, verdict.ttl) if verdict.mode else left
    )  # a list may drop its line before that ends
    return VerdictReply(
        identity,
        query.name,
        verdict.action,
        verdict.reason,
        verdict.rule,
        verdict.family,
        verdict.score,
        verdict.band,
        verdict.model,
        verdict.shadow,
        shown,
        0 if verdict.reason in FLEETING else min(verdict.ttl, left),
    )
