"""The answer of a block or redirect: policy says what goes back, wire encodes it."""

from namewarden.policy.block import denial
from namewarden.query import Answer, Query, Verdict
from namewarden.wire.answers import own, soa
from namewarden.wire.types import type_name


def blocked(query: Query, verdict: Verdict) -> Answer:
    said = denial(verdict, type_name(query.qtype))
    body, ttls, count = own(said.records)
    authority = 0
    if said.is_negative:
        authority, (body, ttls) = 1, soa(said.ttl, query.question, said.rcode == 0)
    return Answer(
        said.rcode, body, (count, authority, 0), ttls, said.ttl,
        tc=said.is_truncated, silent=said.is_silent, ede=said.ede if query.payload else (),
        status=said.status, verdict=verdict,
    )  # fmt: skip
