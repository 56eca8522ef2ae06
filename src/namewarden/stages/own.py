"""The operator's own records: master-file lines read once at start, looked up for every query.

Counterpart: `stages/local.py`. An owner with a record of another type has NODATA; `*.x.` stands for every name
below `x.` that has no records of its own; a CNAME is followed among own records. Addresses get their PTR records.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import dns.exception
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zonefile

from namewarden.query import Answer, Query
from namewarden.wire.answers import soa, soa_above
from namewarden.wire.errors import WireError
from namewarden.wire.message import RECORD
from namewarden.wire.names import from_wire, text_of, to_wire
from namewarden.wire.records import QUESTION_NAME
from namewarden.wire.types import AAAA, CNAME, PTR, A

DEFAULT_TTL = 300
DENIAL_TTL = 60  # seconds a client may keep that an own name has no such record
MOST_HOPS = 8
LONGEST_TTL = 0x7FFFFFFF


@dataclass(frozen=True)
class OwnRecord:
    kind: int
    ttl: int
    rdata: bytes


@dataclass
class OwnRecords:
    """owner → its records. `problems` says what could not be read, each with its line's key."""

    owners: dict[str, list[OwnRecord]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    pointers: dict[str, list[OwnRecord]] = field(default_factory=dict)  # made of the addresses

    def find(self, name: str) -> list[OwnRecord] | None:
        """The records at `name` or of the nearest wildcard above it."""
        found = self.pointers.get(name) or self.owners.get(name)
        rest = name
        while found is None and rest:
            rest = rest.partition(".")[2]
            found = self.owners.get(f"*.{rest}" if rest else "*.")
        return found


def read(lines: Iterable[str]) -> OwnRecords:
    """Lines such as `nas.lan. 300 A 192.168.1.5`; all problems at once."""
    own = OwnRecords()
    for index, line in enumerate(lines):
        try:
            if "\n" in line or "\r" in line or line.lstrip().startswith("$"):
                raise WireError("one record a line, no directives")
            _take(own, dns.zonefile.read_rrsets(line, rdclass=None, default_ttl=DEFAULT_TTL))
        except (dns.exception.DNSException, WireError, ValueError) as error:
            own.problems.append(
                f"local.records.{index}: {line[:80]!r} is not a record such as "
                f"'nas.lan. 300 A 192.168.1.5' ({error})"
            )
    own.pointers = _pointers(own.owners)
    return own


def _pointers(owners: dict[str, list[OwnRecord]]) -> dict[str, list[OwnRecord]]:
    """PTR records of the addresses, where the operator wrote none: the names in the order of the lines."""
    made: dict[str, list[OwnRecord]] = {}
    for owner, records in owners.items():
        if owner.startswith("*."):
            continue
        for record in records:
            for text in _address(record):
                pointer = OwnRecord(PTR, record.ttl, to_wire(owner))
                _add_pointer(made.setdefault(_reverse(text), []), pointer)
    made.pop("", None)
    for name, written in owners.items():
        if name in made:
            is_said = any(record.kind in (PTR, CNAME) for record in written)
            made[name] = written if is_said else [*written, *made[name]]
    return made


def _add_pointer(pointers: list[OwnRecord], pointer: OwnRecord) -> None:
    if all(pointer.rdata != known.rdata for known in pointers):
        pointers.append(pointer)


def _reverse(text: str) -> str:
    """Where an address has its PTR; "" for one that is no host's: loopback has its own, 0.0.0.0 blocks a name."""
    address = ipaddress.ip_address(text)
    is_nobody = address.is_loopback or address.is_unspecified
    return "" if is_nobody else f"{address.reverse_pointer}."


def _take(own: OwnRecords, rrsets: Sequence[dns.rrset.RRset]) -> None:
    if not rrsets:
        raise WireError("nothing is said")
    for rrset in rrsets:
        if rrset.rdclass != dns.rdataclass.IN or dns.rdatatype.is_metatype(rrset.rdtype):
            raise WireError("such a class or type cannot be held")
        labels = [label for label in rrset.name.labels if label]
        wildcard = labels[:1] == [b"*"]
        owner = text_of(labels[1:] if wildcard else labels)
        owner = "*." + (owner if owner != "." else "") if wildcard else owner
        for rdata in rrset:
            record = OwnRecord(int(rrset.rdtype), rrset.ttl, rdata.to_wire() or b"")
            own.owners.setdefault(owner, []).append(record)


def answer(query: Query, own: OwnRecords) -> tuple[Answer, str] | None:
    """(the answer, the name at which its CNAME chain leaves us or ""); None where the name is not ours."""
    records = own.find(query.name)
    if records is None:
        return None
    body, ttls, cnames, addresses = bytearray(), [], [], []
    owner, lowest, leaves = QUESTION_NAME, LONGEST_TTL, ""
    for _ in range(MOST_HOPS):
        wanted = [record for record in records or () if record.kind == query.qtype]
        alias = [record for record in records or () if record.kind == CNAME]
        for record in wanted or alias[:1]:
            body += owner
            ttls.append(len(body) + 4)
            body += RECORD.pack(record.kind, 1, record.ttl, len(record.rdata)) + record.rdata
            lowest = min(lowest, record.ttl)
            addresses += _address(record)
        if wanted or not alias:
            break
        owner = alias[0].rdata
        cnames.append(from_wire(owner, 0)[0])
        records = own.find(cnames[-1])
        if records is None:
            leaves = cnames[-1]
            break
    counts = (len(ttls), 0, 0)
    if not ttls or (len(ttls) == len(cnames) and not leaves):
        authority, at = (
            soa_above(DENIAL_TTL, owner) if cnames else soa(DENIAL_TTL, query.question, True)
        )
        counts, lowest = (len(ttls), 1, 0), DENIAL_TTL
        ttls += [len(body) + one for one in at]
        body += authority
    made = Answer(
        0, bytes(body), counts, tuple(ttls), lowest, status="LOCAL",
        cnames=tuple(cnames), addresses=tuple(addresses),
    )  # fmt: skip
    return made, leaves


def _address(record: OwnRecord) -> list[str]:
    return [str(ipaddress.ip_address(record.rdata))] if record.kind in (A, AAAA) else []
