"""Answered here, never asked upstream nor scored: own records, special-use names, ANY, odd types and classes.

Own records beat everything, but ANY is answered for no name (RFC 8482). Counterparts: `own.py` (records),
`special.py` (the table).
"""

from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from functools import lru_cache

from msgspec.structs import replace

from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.stages import own, special
from namewarden.stages.given import given
from namewarden.stages.junk import junk
from namewarden.stages.record import is_health
from namewarden.stages.zones import Zones
from namewarden.wire.answers import soa
from namewarden.wire.errors import Rcode
from namewarden.wire.joined import beyond, join
from namewarden.wire.message import RECORD
from namewarden.wire.names import to_wire as name_to_wire
from namewarden.wire.records import encode
from namewarden.wire.types import AAAA, ANY, DS, NS, PTR, SOA, A

DENIAL_TTL = 3600  # seconds: what is special today is special tomorrow
ZONE_TTL = 10_800  # RFC 6303 §3
TRANSFERS = {251: "IXFR", 252: "AXFR"}  # there is no zone to give away
META = {0, 41, *range(128, 255)} - {*TRANSFERS}  # RFC 6895 §3.1: never data of a name
_CLASSES = {3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
IN = 1
SPECIAL = Verdict("allow", "special")
RECORD_VERDICT = Verdict("allow", "record")
_RNAME = name_to_wire("nobody.invalid.")
_NUMBERS = b"".join(n.to_bytes(4) for n in (1, 3600, 1200, 604_800, ZONE_TTL))  # RFC 6303 §3
_LOOPBACK = {A: ("A", "127.0.0.1"), AAAA: ("AAAA", "::1")}

Here = Callable[[Query], Answer | None]


@dataclass(frozen=True)
class LocalNames:
    """What the operator and the world say about names that may be answered here."""

    records: own.OwnRecords
    tlds: Container[str]  # top-level domains there are
    search: Sequence[str] = ()  # the network's search suffixes
    is_popular: Callable[[str], bool] = lambda domain: False  # of a registrable domain
    resolve: Sequence[str] = ()  # special-use names that are asked upstream
    zones: Zones | None = None


def local(names: LocalNames, is_allowed: Callable[[Query], bool] = lambda query: False) -> Stage:
    """`is_allowed`: whether people let this very name pass; then it is asked upstream, if it may ever be."""
    of_name = targets(names, is_allowed)

    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        odd = _odd(query)
        if odd is not None:
            return given(odd)
        if query.qtype == ANY:
            return given(_any(query))
        return of_name(query, following)

    return stage


def targets(names: LocalNames, is_allowed: Callable[[Query], bool] = lambda query: False) -> Stage:
    """What is answered here of a name, also where a CNAME of a list's data leads to it."""
    records, here = names.records, _here(names, is_allowed)
    has_own = bool(records.owners)

    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        if has_own:
            found = own.answer(query, records)
            if found is not None:
                return _own(query, found, here, following)
        made = here(query)
        return given(made) if made else following(query)

    return stage


def reserved(records: own.OwnRecords, search: Sequence[str]) -> set[str]:
    """Names at or below which something is answered here. (So are single labels, and odd types and classes.)"""
    owners = {owner.removeprefix("*.") for owner in records.owners}
    pointers = records.pointers
    return {
        *special.ZONES,
        *owners,
        *pointers,
        *(suffix.strip(".").lower() + "." for suffix in search),
    }


def refusal(name: str, is_alone: bool, records: own.OwnRecords) -> str:
    """Why to decide about a name (alone, or what is below it too) would change nothing; "" where it does."""
    zone = special.zone_of(name)
    if zone in special.FIXED:
        return special.FIXED[zone]
    if is_alone and records.find(name) is not None:
        return f"{name[:-1]} has records of your own (local.records), and they beat every rule"
    return ""


def _here(names: LocalNames, is_allowed: Callable[[Query], bool]) -> Here:
    """Special-use names and junk. What lies in a zone of the operator's is neither."""
    zones = names.zones
    resolve = frozenset(f"{name}." for name in names.resolve)
    is_junk = junk(names.search, names.tlds, names.is_popular)

    def here(query: Query) -> Answer | None:
        if zones is not None and zones.of(query.name, query.group):
            return None
        zone = special.zone_of(query.name)
        made = _special(query, zone) if zone else None
        if made is None and (rcode := is_junk(query)) is not None:
            made = _denied(query, rcode)
        if made is None or zone in special.FIXED:
            return made
        if is_allowed(query) or (resolve and special.is_within(query.name, resolve)):
            return None
        if made.rcode == Rcode.NXDOMAIN and zones is not None and zones.is_above(query.name):
            return _denied(query, Rcode.NOERROR)
        return made

    return here


async def _own(query: Query, found: tuple[Answer, str], here: Here, following: Handler) -> Answer:
    """Where a CNAME of ours leads to is answered as if it had been asked for."""
    answer, leaves = found
    if not leaves:
        return replace(answer, verdict=RECORD_VERDICT)
    asked = beyond(query, leaves)
    below = here(asked) or await following(asked)
    if (
        below.status == "REFUSED"
    ):  # not kept, and the client wants no recursion: ours alone, as far as it goes
        return replace(answer, verdict=RECORD_VERDICT)
    return join(query, answer, asked, below)


def _odd(query: Query) -> Answer | None:
    """Classes and types that no name has."""
    if is_health(query):
        return _records(query, *_LOOPBACK[A])
    if query.qclass != IN:  # version.bind and its kin: who we are is not told
        return _not_done(Rcode.REFUSED, f"class {_CLASSES.get(query.qclass, query.qclass)}")
    if query.qtype in TRANSFERS:
        return _not_done(Rcode.REFUSED, f"transfer {TRANSFERS[query.qtype]}")
    if query.qtype in META:
        return _not_done(Rcode.NOTIMP, f"type {query.qtype}")
    return None


@lru_cache(maxsize=1024)
def _not_done(rcode: Rcode, rule: str) -> Answer:
    """What was wanted stands where the event has room for it: the class of a question is no field of its own."""
    return Answer(rcode, status="LOCAL", verdict=Verdict("allow", "special", rule))


def _any(query: Query) -> Answer:
    """RFC 8482 §4.2: one small record instead of all, so that nobody is flooded through us."""
    return _records(query, "HINFO", '"RFC8482" ""')


def _records(query: Query, kind: str, text: str) -> Answer:
    body, ttls, count = encode(query.name, [(query.name, kind, DENIAL_TTL, text)])
    addresses = (text,) if kind in ("A", "AAAA") else ()
    return Answer(
        0, body, (count, 0, 0), ttls, DENIAL_TTL, status="LOCAL", verdict=SPECIAL, addresses=addresses
    )  # fmt: skip


def _special(query: Query, zone: str) -> Answer | None:
    kind = special.ZONES[zone]
    if kind == special.LOOPBACK:
        found = _LOOPBACK.get(query.qtype)
        return _records(query, *found) if found else _denied(query, Rcode.NOERROR)
    if kind == special.NODATA:
        return _denied(query, Rcode.NOERROR)
    if kind == special.NXDOMAIN:
        return _denied(query, Rcode.NXDOMAIN)
    return _empty_zone(query, zone)


def _denied(query: Query, rcode: Rcode) -> Answer:
    body, ttls = soa(DENIAL_TTL, query.question, rcode == Rcode.NOERROR)
    return Answer(rcode, body, (0, 1, 0), ttls, DENIAL_TTL, status="LOCAL", verdict=SPECIAL)


def _empty_zone(query: Query, zone: str) -> Answer | None:
    """RFC 6303 §3: SOA and NS at the top, below it nothing."""
    is_top = query.name == zone
    if query.qtype == DS and is_top:
        return None  # the parent's to answer: an insecure delegation must be provable (RFC 8375 §4)
    if query.name in special.LOOPBACK_POINTERS:
        return (
            _records(query, "PTR", "localhost.")
            if query.qtype == PTR
            else _denied(query, Rcode.NOERROR)
        )
    top = _pointer_to(query, zone)
    rdata = top + _RNAME + _NUMBERS
    record = top + RECORD.pack(SOA, IN, ZONE_TTL, len(rdata)) + rdata
    if is_top and query.qtype == NS:
        record, counts = top + RECORD.pack(NS, IN, ZONE_TTL, 2) + top, (1, 0, 0)
    else:
        counts = (1, 0, 0) if is_top and query.qtype == SOA else (0, 1, 0)
    rcode = Rcode.NOERROR if is_top else Rcode.NXDOMAIN
    return Answer(rcode, record, counts, (6,), ZONE_TTL, status="LOCAL", verdict=SPECIAL)


def _pointer_to(query: Query, zone: str) -> bytes:
    """A compression pointer to the end of the question's name that is `zone`."""
    at = 12 + len(query.question) - 4 - len(name_to_wire(zone))
    return (0xC000 | at).to_bytes(2)
