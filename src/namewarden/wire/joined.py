"""A CNAME of ours and what its target has, as one answer. A rare path: dnspython reads and writes."""

from msgspec.structs import replace

from namewarden.query import Answer, Query
from namewarden.wire.answers import plain
from namewarden.wire.errors import Rcode
from namewarden.wire.names import to_wire as name_to_wire
from namewarden.wire.sections import append, message_of


def beyond(query: Query, target: str) -> Query:
    """The question that goes on where a CNAME of ours leaves us."""
    return replace(query, name=target, question=name_to_wire(target) + query.question[-4:])


def join(query: Query, head: Answer, asked: Query, tail: Answer) -> Answer:
    """`head` (CNAMEs of ours, for `query`) followed by `tail` (the answer to `asked`, where they lead).

    How it came about (status, verdict, EDE, upstream) is the tail's. What cannot be read becomes SERVFAIL:
    upstreams pass on what strangers made. What the tail has of ours is not counted down.
    """
    if tail.silent or tail.tc:
        return tail
    message = message_of(asked, tail)
    if message is None:
        return replace(
            plain(Rcode.SERVFAIL, "FAILED"), verdict=tail.verdict, upstream=tail.upstream
        )
    body, ttls, counts = bytearray(head.body), list(head.ttls), []
    ours = sum(tail.counts) - (len(tail.ttls) if tail.stored else 0)  # they come first
    for section in (message.answer, message.authority):
        for rrset in section:
            for rdata in rrset:
                ttl = append(body, rrset, rdata)
                if ours <= 0:
                    ttls.append(ttl)
                ours -= 1
        counts.append(sum(map(len, section)))
    return replace(
        tail,
        body=bytes(body),
        ttls=tuple(ttls),
        counts=(head.counts[0] + counts[0], counts[1], 0),
        ttl=min(head.ttl, tail.ttl),
        stored=query.now,
        ad=False,
        cnames=(*head.cnames, *tail.cnames),
    )
