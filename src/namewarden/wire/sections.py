"""What the sections of an answer hold beside what every answer is read for. A rare path: dnspython reads.

Counterparts: `stages/screen.py` (zones may be triggered by it), `joined.py`.
"""

from collections.abc import Iterator

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
from dns.rdtypes.svcbbase import ParamKey
from msgspec.structs import replace

from namewarden.query import Answer, Query
from namewarden.wire.answers import to_wire
from namewarden.wire.message import RECORD
from namewarden.wire.names import from_wire

ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)
SERVICES = (dns.rdatatype.SVCB, dns.rdatatype.HTTPS)
HINTS = (ParamKey.IPV4HINT, ParamKey.IPV6HINT)
_MOST_SERVERS = 32  # of one zone; the root has 13


def message_of(query: Query, answer: Answer) -> dns.message.Message | None:
    """The whole message, None where it cannot be read: upstreams pass on what strangers made."""
    try:
        return dns.message.from_wire(
            to_wire(query, replace(answer, ede=(), tc=False), query.now, 65535)
        )
    except (dns.exception.DNSException, ValueError):
        return None


def addresses(message: dns.message.Message) -> tuple[str, ...]:
    """All of the answer section, hints of HTTPS and SVCB records, and what stands in additional for their targets."""
    every = [rrset for rrset in (*message.answer, *message.additional) if rrset.rdtype in SERVICES]
    shown = [*message.answer, *message.additional] if every else message.answer
    found = [r.to_text() for rrset in shown if rrset.rdtype in ADDRESSES for r in rrset]
    return tuple(dict.fromkeys((*found, *(hint for rrset in every for hint in _hints(rrset)))))


def _hints(rrset: dns.rrset.RRset) -> Iterator[str]:
    for rdata in rrset:
        for key in HINTS:
            if (parameter := rdata.params.get(key)) is not None:
                yield from parameter.addresses


def servers(message: dns.message.Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(names, addresses) of the name servers that the authority section names, as far as it does."""
    found = [
        rdata.target
        for rrset in message.authority
        if rrset.rdtype == dns.rdatatype.NS
        for rdata in rrset
    ][:_MOST_SERVERS]
    glue = [
        rdata.to_text()
        for rrset in message.additional
        if rrset.rdtype in ADDRESSES and rrset.name in found
        for rdata in rrset
    ]
    return tuple(from_wire(name.to_wire() or b"", 0)[0] for name in found), tuple(glue)


def append(body: bytearray, rrset: dns.rrset.RRset, rdata: dns.rdata.Rdata) -> int:
    """Write one of its records behind the others, uncompressed; the offset of its TTL."""
    octets = rdata.to_wire() or b""
    body += rrset.name.to_wire() or b""
    ttl = len(body) + 4
    body += RECORD.pack(rrset.rdtype, rrset.rdclass, rrset.ttl, len(octets)) + octets
    return ttl


def aliases(message: dns.message.Message, query: Query, count: int) -> Answer | None:
    """The first `count` CNAMEs from the name asked on, with the DNAMEs they come of; None where they are not there."""
    name = message.question[0].name
    body, ttls = bytearray(), []
    for _ in range(count):
        chosen = [rrset for rrset in message.answer if _leads_on(rrset, name)]
        if not chosen or chosen[-1].rdtype != dns.rdatatype.CNAME:
            return None
        for rrset in chosen:
            ttls.append((append(body, rrset, rrset[0]), rrset.ttl))
        name = chosen[-1][0].target
    return Answer(
        0, bytes(body), (len(ttls), 0, 0), tuple(at for at, _ in ttls), min(ttl for _, ttl in ttls),
        stored=query.now,
    )  # fmt: skip


def _leads_on(rrset: dns.rrset.RRset, name: dns.name.Name) -> bool:
    if rrset.rdtype == dns.rdatatype.CNAME:
        return bool(rrset.name == name)
    is_above = rrset.name != name and name.is_subdomain(rrset.name)
    return rrset.rdtype == dns.rdatatype.DNAME and is_above
