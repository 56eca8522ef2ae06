"""A CNAME of ours and what its target has, as one answer. A rare path: dnspython reads and writes."""

import dns.exception
import dns.message
import dns.rdatatype
from msgspec.structs import replace

from namewarden.query import Answer, Query
from namewarden.wire.answers import to_wire
from namewarden.wire.errors import WireError
from namewarden.wire.records import encode


def join(query: Query, head: Answer, asked: Query, tail: Answer) -> Answer:
    """`head` (the CNAME, for `query`) followed by `tail` (the answer to `asked`, its target).

    Everything but rcode, records and times is the head's: its status, verdict and EDE tell what happened.
    """
    if tail.silent:
        return tail
    whole = replace(tail, tc=False, ede=())
    try:
        message = dns.message.from_wire(to_wire(asked, whole, query.now, 65535))
    except dns.exception.DNSException as error:
        raise WireError(f"what {asked.name} has cannot be read: {error}") from error
    body, ttls = head.body, list(head.ttls)
    counts = []
    for section in (message.answer, message.authority):
        records = [
            (str(rrset.name), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rdata.to_text())
            for rrset in section
            for rdata in rrset
        ]
        more, offsets, count = encode(query.name, records)
        ttls += [len(body) + offset for offset in offsets]
        body += more
        counts.append(count)
    return replace(
        head,
        rcode=tail.rcode,
        body=body,
        ttls=tuple(ttls),
        counts=(head.counts[0] + counts[0], counts[1], 0),
        ttl=min(head.ttl, tail.ttl),
        stored=query.now,
        upstream=tail.upstream,
        cnames=(asked.name, *tail.cnames),
        addresses=tail.addresses,
    )
