"""Own records (operator's, RPZ local data, RFC 8482) as an answer's body. A rare path: dnspython does the work."""

from collections.abc import Iterable

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from namewarden.wire.errors import WireError
from namewarden.wire.message import RECORD
from namewarden.wire.names import to_wire

QUESTION_NAME = b"\xc0\x0c"  # the pointer to the question's name, right after the header


def encode(
    name: str, records: Iterable[tuple[str, str, int, str]]
) -> tuple[bytes, tuple[int, ...], int]:
    """(owner, type, TTL s, rdata text) records → (body, offsets of TTLs, count), answering for `name`."""
    body = b""
    ttls = []
    count = 0
    for owner, kind, ttl, text in records:
        number, rdata = encode_rdata(kind, text)
        body += QUESTION_NAME if owner == name else to_wire(owner)
        ttls.append(len(body) + 4)
        body += RECORD.pack(number, 1, ttl, len(rdata)) + rdata
        count += 1
    return body, tuple(ttls), count


def encode_rdata(kind: str, text: str) -> tuple[int, bytes]:
    """`MX`, `10 mail.example.org.` → (15, octets). WireError when it is not such a record."""
    try:
        number = dns.rdatatype.from_text(kind)
        rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text, origin=dns.name.root)
        return int(number), rdata.to_wire(origin=dns.name.root) or b""
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(f"{kind} {text[:80]!r} is not a record: {error}") from error
