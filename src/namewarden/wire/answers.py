"""What goes back: an `Answer` and the query it answers → bytes."""

from functools import lru_cache

from namewarden.query import Answer, Query, Status
from namewarden.wire import types
from namewarden.wire.errors import Rcode
from namewarden.wire.message import AA, AD, CD, HEADER, QR, RA, RD, RECORD, TC, opt_record
from namewarden.wire.names import to_wire as name_to_wire
from namewarden.wire.records import QUESTION_NAME, encode

ADVERTISED = 1232  # DNS flag day 2020: what crosses every path unfragmented
BEHIND_LABEL = 0xC00D  # the pointer into the question's name, the length of its first label added
_MNAME = name_to_wire("namewarden.invalid.")
_RNAME = name_to_wire("nobody.invalid.")


def limit_of(query: Query, most: int) -> int:
    """Octets a UDP answer to `query` may have."""
    return min(query.payload or 512, most) if query.transport == "udp" else 65535


def to_wire(query: Query, answer: Answer, now: float, limit: int) -> bytes:
    """The message. TTLs are aged; above `limit` octets it is cut to its header with TC (RFC 2181 §9)."""
    opt = opt_record(ADVERTISED, answer.rcode >> 4, query.do, answer.ede) if query.payload else b""
    flags = (
        QR
        | RA
        | RD * query.rd
        | CD * query.cd
        | AA * answer.aa
        | AD * (answer.ad and (query.ad or query.do))
        | (answer.rcode & 15)
    )
    body = aged(answer, now)
    if answer.tc or 12 + len(query.question) + len(body) + len(opt) > limit:
        header = HEADER.pack(query.id, flags | TC, 1, 0, 0, 1 if opt else 0)
        return header + query.question + opt
    an, ns, ar = answer.counts
    header = HEADER.pack(query.id, flags, 1, an, ns, ar + 1 if opt else ar)
    return header + query.question + body + opt


def aged(answer: Answer, now: float) -> bytes:
    """The body with its TTLs counted down from when they were right; never below 0."""
    passed = int(now - answer.stored)
    if passed <= 0 or not answer.ttls or not answer.stored:
        return answer.body
    body = bytearray(answer.body)
    for offset in answer.ttls:
        left = max(int.from_bytes(body[offset : offset + 4]) - passed, 0)
        body[offset : offset + 4] = left.to_bytes(4)
    return bytes(body)


def plain(rcode: Rcode, status: Status, ede: tuple[tuple[int, str], ...] = ()) -> Answer:
    """An answer without records."""
    return Answer(rcode=int(rcode), ede=ede, status=status)


@lru_cache(maxsize=1024)
def own(records: tuple[tuple[str, int, str], ...]) -> tuple[bytes, tuple[int, ...], int]:
    """(type, TTL s, rdata text) records of the name asked, whatever it is → (body, offsets of TTLs, count)."""
    return encode("", (("", *record) for record in records))


def soa(ttl: int, question: bytes, exists: bool = False) -> tuple[bytes, tuple[int, ...]]:
    """Authority for a name that we deny, so that who asked keeps it `ttl` seconds (RFC 2308 §5) → (body, TTLs in it).

    Its owner is the parent of the name in question. By the name itself dnsmasq remembers a record of it, and says
    NODATA from then on; by the root PowerDNS Recursor takes the whole top-level domain for absent. A single label that
    `exists` (NODATA) owns its SOA, as a zone does; for one that does not it is a zone that has nothing to do with it,
    and caches in front keep nothing.
    """
    first = question[0]
    if first and question[1 + first]:
        return _soa_of((BEHIND_LABEL + first).to_bytes(2), ttl)
    return _soa_of(QUESTION_NAME if exists else _MNAME, ttl)


def soa_above(ttl: int, name: bytes) -> tuple[bytes, tuple[int, ...]]:
    """The same for another name than the one in question that exists, in wire format without pointers."""
    parent = name[1 + name[0] :]
    return _soa_of(parent if len(parent) > 1 else name, ttl)


def _soa_of(owner: bytes, ttl: int) -> tuple[bytes, tuple[int, ...]]:
    return owner + _soa_record(ttl), (len(owner) + 4,)


@lru_cache(maxsize=64)
def _soa_record(ttl: int) -> bytes:
    rdata = _MNAME + _RNAME + b"".join(n.to_bytes(4) for n in (1, 3600, 600, 86400, ttl))
    return RECORD.pack(types.SOA, 1, ttl, len(rdata)) + rdata
