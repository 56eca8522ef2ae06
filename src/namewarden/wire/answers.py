"""What goes back: an `Answer` and the query it answers → bytes; a verdict → the answer its mode asks for."""

from functools import lru_cache
from ipaddress import ip_address

from namewarden.query import Answer, Query, Status, Verdict
from namewarden.wire import types
from namewarden.wire.errors import Rcode
from namewarden.wire.message import AA, AD, CD, HEADER, QR, RA, RD, RECORD, TC, opt_record
from namewarden.wire.names import to_wire as name_to_wire
from namewarden.wire.records import QUESTION_NAME, encode

ADVERTISED = 1232  # DNS flag day 2020: what crosses every path unfragmented
BLOCKED_CODE, FORGED_CODE = 15, 4  # RFC 8914
_MNAME = name_to_wire("namewarden.invalid.")
_RNAME = name_to_wire("nobody.invalid.")
_ADDRESS_BYTES = {types.A: 4, types.AAAA: 16}


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


def blocked(query: Query, verdict: Verdict) -> Answer:
    """The answer of a block or redirect, for every type: what mode says, with its reason as EDE.

    null and ip answer A and AAAA, every other type (HTTPS and SVCB too) is NODATA with SOA. data answers the
    records of the type asked, or a CNAME; others NODATA. EDE 15 always, 4 beside it where data was forged.
    """
    status: Status = "REDIRECTED" if verdict.action == "redirect" else "BLOCKED"
    ede = _ede(verdict) if query.payload else ()
    mode = verdict.mode
    if mode == "drop":
        return Answer(0, silent=True, status="DROPPED", verdict=verdict)
    if mode == "tcp-only":
        return Answer(0, tc=True, ede=ede, status=status, verdict=verdict)
    if mode == "refused":
        return Answer(Rcode.REFUSED, ede=ede, status=status, verdict=verdict)
    body, ttls, count = _records(query, verdict)
    if count:
        return Answer(
            0, body, (count, 0, 0), ttls, verdict.ttl, ede=ede, status=status, verdict=verdict
        )
    rcode = Rcode.NXDOMAIN if mode == "nxdomain" else Rcode.NOERROR
    return Answer(
        rcode, soa(verdict.ttl), (0, 1, 0), (6,), verdict.ttl, ede=ede, status=status, verdict=verdict
    )  # fmt: skip


def _ede(verdict: Verdict) -> tuple[tuple[int, str], ...]:
    source = verdict.rule.split(":", 1)[0] if verdict.rule else ""
    text = " ".join(filter(None, (verdict.reason, verdict.family, source)))
    said = (BLOCKED_CODE, text)
    return (said, (FORGED_CODE, "")) if verdict.mode in ("ip", "data") else (said,)


def _records(query: Query, verdict: Verdict) -> tuple[bytes, tuple[int, ...], int]:
    if verdict.mode == "null":
        return _addresses(query.qtype, ("0.0.0.0", "::"), verdict.ttl)
    if verdict.mode == "ip":
        return _addresses(query.qtype, verdict.addresses, verdict.ttl)
    if verdict.mode == "data":
        wanted = (types.type_name(query.qtype), "CNAME")
        found = [(query.name, *record) for record in verdict.records if record[0] in wanted]
        return encode(query.name, found)
    return b"", (), 0


@lru_cache(maxsize=1024)
def _addresses(
    qtype: int, addresses: tuple[str, ...], ttl: int
) -> tuple[bytes, tuple[int, ...], int]:
    size = _ADDRESS_BYTES.get(qtype)
    octets = [ip_address(text).packed for text in addresses]
    fitting = [value for value in octets if len(value) == size]
    head = QUESTION_NAME + RECORD.pack(qtype, 1, ttl, size or 0)
    body = b"".join(head + value for value in fitting)
    step = len(head) + (size or 0)
    return body, tuple(6 + index * step for index in range(len(fitting))), len(fitting)


@lru_cache(maxsize=64)
def soa(ttl: int) -> bytes:
    """Authority for a name that we deny, so that clients keep the denial `ttl` seconds (RFC 2308 §5)."""
    rdata = _MNAME + _RNAME + b"".join(n.to_bytes(4) for n in (1, 3600, 600, 86400, ttl))
    return QUESTION_NAME + RECORD.pack(types.SOA, 1, ttl, len(rdata)) + rdata
