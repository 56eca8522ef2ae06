"""Queries and answers as the listeners make them, for tests below the listeners."""

import time

import dns.message
import dns.rdatatype

from namewarden.query import Answer, Query
from namewarden.wire.answers import to_wire
from namewarden.wire.message import read_query


def query(
    name: str, qtype: str = "A", client: str = "127.0.0.1", transport: str = "udp",
    now: float | None = None, **options,
) -> Query:  # fmt: skip
    """What a client would have asked: the message is made by dnspython and read by us."""
    options.setdefault("use_edns", 0)
    message = dns.message.make_query(name, qtype, **options)
    return read_query(
        message.to_wire(), client, transport, time.monotonic() if now is None else now
    )


def message(asked: Query, answer: Answer, now: float | None = None) -> dns.message.Message:
    """What the client would get."""
    data = to_wire(asked, answer, time.monotonic() if now is None else now, 65535)
    return dns.message.from_wire(data)


def texts(asked: Query, answer: Answer) -> list[str]:
    """The answer section's data in order of type and text."""
    sections = message(asked, answer).answer
    return [item.to_text() for rrset in sections for item in sorted(rrset)]
