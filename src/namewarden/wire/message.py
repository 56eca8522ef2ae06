"""Messages: what a client asks, what is asked upstream, what an upstream says.

Own minimal parser, because a general one costs a factor of five on a query's path. It promises a `Query`,
an `Answer` or a `WireError`, nothing else, for any bytes. Plain messages are read by the C helper where it was built;
what it passes over, and everything where there is none, by the functions here.
"""

from functools import lru_cache
from ipaddress import IPv6Address
from struct import Struct as Layout
from struct import error as LayoutError

from namewarden import native
from namewarden.query import Answer, Query
from namewarden.wire import types
from namewarden.wire.errors import Rcode, Unreadable, WireError
from namewarden.wire.names import from_wire, skip, to_wire
from namewarden.wire.rdata import IN, USUAL, check, read_name, rebuilt

HEADER = Layout("!6H")  # id, flags, QD, AN, NS, AR (RFC 1035 §4.1.1)
RECORD = Layout("!HHIH")  # type, class, TTL, RDLENGTH
_OPT = Layout("!BHHIH")  # the same behind the root's name
PAIR = Layout("!HH")  # type and class of a question; code and length of an EDNS option
QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0020, 0x0010
OPCODE = 0x7800
DO = 0x8000
EDE_OPTION = 15
MOST_ADDRESSES = 16
_MAX_CNAMES = (
    32  # Unbound follows 11; each one is judged and recorded, so thousands would cost seconds
)
_MOST_LOOKED_AT = 16  # questions and records of a message that is refused anyway
_MAX_RECORDS = 4096  # more cannot stand in 64 KiB but as junk of root-owned records
_MOST_ODD = 256  # records of a message that dnspython reads, a fiftieth of a millisecond each

_CASES = bytes(32 * (octet < 128 and chr(octet).isalpha()) for octet in range(256))

_HELPER = native.load("namewarden.wire._message")  # once: every message comes through here


def read_query(data: bytes, client: str, transport: str, now: float) -> Query:
    """A client's message. WireError carries the FORMERR, NOTIMP or BADVERS to send, or silence."""
    plain = _HELPER.question(data) if _HELPER else None
    if plain is None:
        return any_query(data, client, transport, now)
    ident, name, qtype, question, qclass, flags, do, payload = plain
    return Query(
        ident, name, qtype, client, transport, now, question, qclass,
        flags & RD != 0, flags & AD != 0, flags & CD != 0, do, payload,
    )  # fmt: skip


def any_query(data: bytes, client: str, transport: str, now: float) -> Query:
    """The same for every message, plain or not."""
    if len(data) < 12:
        raise WireError("shorter than a header")
    ident, flags, qd, an, ns, ar = HEADER.unpack_from(data)
    if flags & QR:
        raise WireError("is a response")  # silence: answering answers makes loops
    if flags & OPCODE:
        raise _refusal(data, "opcode is not QUERY", Rcode.NOTIMP)
    if qd != 1 or an or ns:
        raise _refusal(data, "counts are not those of a query")
    try:
        name, end = from_wire(data, 12)
        qtype, qclass = PAIR.unpack_from(data, end)
    except (WireError, LayoutError):
        raise _refusal(data, "question cannot be read") from None
    question = data[12 : end + 4]
    if ar:
        payload, do = _read_opt(data, end + 4, ar, question)
    elif len(data) != end + 4:
        raise _refusal(data, "bytes follow the message", question=question)
    else:
        payload, do = 0, False
    return Query(
        ident, name, qtype, client, transport, now, question, qclass,
        flags & RD != 0, flags & AD != 0, flags & CD != 0, do, payload,
    )  # fmt: skip


def query_for(name: str, qtype: int, client: str, transport: str, now: float) -> Query:
    """What a listener would have read, had a client asked so. WireError: it is no name; OverflowError: no type."""
    wire = to_wire(name)
    plain, _ = from_wire(wire, 0)
    question = wire + qtype.to_bytes(2) + b"\0\1"
    return Query(0, plain, qtype, client, transport, now, question, payload=1232)


def _read_opt(data: bytes, offset: int, count: int, question: bytes) -> tuple[int, bool]:
    """(UDP payload size, DO) of the additional section; (0, False) where there is no OPT."""
    found = None
    try:
        for _ in range(count):
            owner = offset
            offset = skip(data, offset)
            kind, size, ttl, length = RECORD.unpack_from(data, offset)
            offset += RECORD.size + length
            if kind == types.OPT:
                if found is not None or data[owner] != 0:
                    raise WireError("OPT is there twice or has an owner")
                found = size, ttl
                _check_options(data, offset - length, offset)
    except (WireError, LayoutError):
        raise _refusal(data, "additional section cannot be read", question=question) from None
    if offset != len(data):
        raise _refusal(data, "bytes follow the message", question=question)
    if found is None:
        return 0, False
    if (found[1] >> 16) & 255:
        raise _refusal(data, "EDNS version is not 0", Rcode.BADVERS, question)
    return max(found[0], 512), found[1] & DO != 0


def _check_options(data: bytes, offset: int, end: int) -> None:
    """Options must fill their record exactly; what they say is nobody's business here."""
    if end > len(data):
        raise WireError("OPT runs past the end")
    while offset < end:
        offset += PAIR.size + PAIR.unpack_from(data, offset)[1]
    if offset != end:
        raise WireError("EDNS options overrun OPT")


def _refusal(
    data: bytes, reason: str, rcode: Rcode = Rcode.FORMERR, question: bytes = b""
) -> WireError:
    ident, flags = PAIR.unpack_from(data)
    flags = QR | (flags & (OPCODE | RD | CD)) | RA | (rcode & 15)
    has_opt = rcode > 15 or _has_opt(data)
    opt = opt_record(1232, int(rcode) >> 4, False, ()) if has_opt else b""
    header = HEADER.pack(ident, flags, bool(question), 0, 0, has_opt)
    return WireError(reason, header + question + opt)


def _has_opt(data: bytes) -> bool:
    """Whether the sender speaks EDNS (RFC 6891 §7), as far as a message that is refused can be read."""
    _, _, qd, an, ns, ar = HEADER.unpack_from(data)
    if qd + an + ns + ar > _MOST_LOOKED_AT:
        return False
    offset = HEADER.size
    try:
        for _ in range(qd):
            offset = skip(data, offset) + PAIR.size
        for index in range(an + ns + ar):
            owner, offset = offset, skip(data, offset)
            kind, _, _, length = RECORD.unpack_from(data, offset)
            if kind == types.OPT and data[owner] == 0 and index >= an + ns:
                return True
            offset += RECORD.size + length
    except (WireError, LayoutError):
        pass
    return False


@lru_cache(maxsize=64)
def opt_record(payload: int, extended: int, do: bool, ede: tuple[tuple[int, str], ...]) -> bytes:
    """An OPT pseudo-record (RFC 6891 §6.1.2) with Extended DNS Errors (RFC 8914), texts cut to 200 octets."""
    if not ede:
        return _OPT.pack(0, types.OPT, payload, extended << 24 | DO * do, 0)
    options = b""
    for code, text in ede:
        extra = text.encode()[:200]
        options += PAIR.pack(EDE_OPTION, 2 + len(extra)) + code.to_bytes(2) + extra
    return b"\0" + RECORD.pack(types.OPT, payload, extended << 24 | DO * do, len(options)) + options


def write_query(
    query: Query, ident: int, payload: int, question: bytes = b"", options: bytes = b""
) -> bytes:
    """What is asked upstream: the question, in another case perhaps, recursion wished, no option of the client's.

    With an OPT of ours where `payload` (octets of an answer by UDP) is not 0.
    """
    # AD always: whether the data is authentic is kept with the answer, for whoever asks next (RFC 6840 §5.7).
    flags = RD | AD | CD if query.cd else RD | AD
    opt = _opt_with(payload, query.do, options) if payload else b""
    header = HEADER.pack(ident, flags, 1, 0, 0, 1 if payload else 0)
    return header + (question or query.question) + opt


@lru_cache(maxsize=64)
def _opt_with(payload: int, do: bool, options: bytes) -> bytes:
    return opt_record(payload, 0, do, ())[:-2] + len(options).to_bytes(2) + options


def mixed(question: bytes, bits: int) -> bytes:
    """The question, each letter of its name in the other case where its bit is set; 64 bits serve again and again."""
    changed: bytes = _HELPER.mixed(question, bits) if _HELPER else any_mixed(question, bits)
    return changed


def any_mixed(question: bytes, bits: int) -> bytes:
    """The same in Python."""
    name = question[:-4]
    flips = name.translate(_CASES)
    changed = (
        octet ^ (flip if bits >> (at & 63) & 1 else 0)
        for at, (octet, flip) in enumerate(zip(name, flips, strict=True))
    )
    return bytes(changed) + question[-4:]


def echo(data: bytes, question: bytes, cookie: bytes) -> int:
    """Whether a message has this very question, and the cookie anywhere: 0 = no; 2 = yes, and the name once more."""
    found: int = (_HELPER.echo if _HELPER else any_echo)(data, question, cookie)
    return found


def any_echo(data: bytes, question: bytes, cookie: bytes) -> int:
    """The same in Python."""
    end = HEADER.size + len(question)
    if len(question) <= 4 or data[HEADER.size : end] != question or cookie not in data:
        return 0
    return 2 if data.find(question[:-4], end) >= 0 else 1


def read_answer(data: bytes, question: bytes, stored: float, upstream: str = "") -> Answer:
    """An upstream's message to `question`, all records kept but OPT. WireError when it is not one.

    The id is the caller's to check. The name is compared without case, type and class exactly. Unreadable when it is
    one, but a strict client could not read it.
    """
    plain = _HELPER.answer(data, question) if _HELPER else None
    if plain is None:
        return any_answer(data, question, stored, upstream)
    rcode, body, counts, ttls, ttl, ad, tc, cnames, addresses = plain
    return Answer(
        rcode, body, counts, ttls, ttl, stored, False, ad, tc,
        upstream=upstream, cnames=cnames, addresses=addresses,
    )  # fmt: skip


def any_answer(data: bytes, question: bytes, stored: float, upstream: str = "") -> Answer:
    """The same for every message, plain or not."""
    end = 12 + len(question)
    if len(data) < end:
        raise WireError("shorter than its question")
    _, flags, qd, an, ns, ar = HEADER.unpack_from(data)
    if not flags & QR or qd != 1:
        raise WireError("is not an answer to one question")
    if not same_question(data[12:end], question):
        raise WireError("answers another question")
    if flags & OPCODE:
        raise Unreadable("its opcode is not QUERY")
    if an + ns + ar > _MAX_RECORDS:
        raise Unreadable("has more records than we read")
    try:
        return _Records(data, end, stored, upstream).answer()
    except WireError as error:
        raise Unreadable(error.reason) from None
    except (LayoutError, IndexError):
        raise Unreadable("a record runs past the end") from None


def same_question(one: bytes, other: bytes) -> bool:
    return one[-4:] == other[-4:] and one[:-4].lower() == other[:-4].lower()


class _Records:
    """One walk over an answer's records, collecting what the house wants to know."""

    def __init__(self, data: bytes, start: int, stored: float, upstream: str) -> None:
        self.data = data
        self.start = start
        _, self.flags, _, *self.counts = HEADER.unpack_from(data)
        self.stored = stored
        self.upstream = upstream
        self.labels: set[int] = set()  # where names and their labels begin
        self.is_odd = False  # it has what dnspython alone reads
        self.is_rebuilt = False  # dnspython has written it
        self.ttls: list[int] = []
        self.cnames: list[str] = []
        self.addresses: list[str] = []
        self.lowest = 0x7FFFFFFF
        self.negative: int | None = (
            None  # how long a denial may be kept: the SOA says (RFC 2308 §5)
        )
        self.opt: tuple[int, int] | None = None  # where it begins and ends
        self.rcode = self.flags & 15
        self.ede: list[tuple[int, str]] = []

    def answer(self) -> Answer:
        self._walk()
        if self.is_odd:
            return self._rebuilt_answer()
        an, ns, ar = self.counts
        return Answer(
            rcode=self.rcode,
            body=self.data[self.start : self.opt[0] if self.opt else None],
            counts=(an, ns, ar - (self.opt is not None)),
            ttls=tuple(self.ttls),
            ttl=self._ttl(),
            stored=self.stored,
            ad=self.flags & AD != 0,
            tc=self.flags & TC != 0,
            ede=tuple(self.ede),
            upstream=self.upstream,
            cnames=tuple(self.cnames),
            addresses=tuple(self.addresses),
        )

    def _walk(self) -> None:
        an, ns, ar = self.counts
        if self.start > 16:
            read_name(self.data, 12, self.labels)
        offset = self.start
        for index in range(an + ns + ar):
            offset = self._record(offset, index, an, an + ns)
        if offset != len(self.data):
            raise WireError("bytes follow the message")
        if self.opt is not None and self.opt[1] != offset:
            self.is_odd = True  # what follows it would move

    def _rebuilt_answer(self) -> Answer:
        if sum(self.counts) > _MOST_ODD:
            raise WireError("has more records than dnspython should read")
        again = _Records(rebuilt(self.data), self.start, self.stored, self.upstream)
        again.is_rebuilt = True
        again.rcode, again.ede = self.rcode, self.ede
        return again.answer()

    def _ttl(self) -> int:
        """An SOA in authority makes it a denial, behind a CNAME chain too; a denial without one is not kept."""
        if self.negative is not None:
            return min(self.lowest, self.negative)
        return self.lowest if self.counts[0] and self.rcode == 0 else 0

    def _record(self, offset: int, index: int, answers: int, authority: int) -> int:
        data = self.data
        owner = offset
        offset = self._owner(offset)
        kind, rdclass, ttl, length = RECORD.unpack_from(data, offset)  # type: tuple[int, int, int, int]
        value = offset + RECORD.size
        end = value + length
        if end > len(data):
            raise WireError("a record runs past the end")
        if kind == types.OPT:
            self._take_opt(owner, end, ttl, value, index >= authority)
            return end
        self._check(kind, rdclass, value, end)
        self.ttls.append(offset + 4 - self.start)
        if index < answers:
            self.lowest = min(self.lowest, ttl & 0x7FFFFFFF)
            self._take_answer(kind, value, length)
        elif kind == types.SOA and index < authority:
            minimum = int.from_bytes(data[end - 4 : end])
            self.negative = min(ttl, minimum) & 0x7FFFFFFF
        return end

    def _owner(self, offset: int) -> int:
        if self.is_odd or self.is_rebuilt:
            return skip(self.data, offset)
        return read_name(self.data, offset, self.labels)

    def _check(self, kind: int, rdclass: int, value: int, end: int) -> None:
        """An odd message is read whole by dnspython when the walk is over."""
        if self.is_odd or self.is_rebuilt:
            return
        if kind in USUAL and rdclass == IN:
            check(self.data, kind, value, end, self.labels)
        else:
            self.is_odd = True

    def _take_answer(self, kind: int, value: int, length: int) -> None:
        if kind == types.CNAME:
            if len(self.cnames) == _MAX_CNAMES:
                raise WireError("has more CNAMEs than a chain may have")
            self.cnames.append(from_wire(self.data, value)[0])
        elif len(self.addresses) >= MOST_ADDRESSES:
            return
        elif kind == types.A and length == 4:
            self.addresses.append(".".join(map(str, self.data[value : value + 4])))
        elif kind == types.AAAA and length == 16:
            self.addresses.append(str(IPv6Address(self.data[value : value + 16])))

    def _take_opt(self, owner: int, end: int, ttl: int, value: int, additional: bool) -> None:
        if self.opt is not None or not additional or self.data[owner]:
            raise WireError("OPT is there twice, in the wrong section or has an owner")
        self.opt = owner, end
        self.rcode |= (ttl >> 24) << 4
        while value < end:
            code, length = PAIR.unpack_from(self.data, value)
            text = self.data[value + 6 : value + 4 + length]
            if code == EDE_OPTION and length >= 2 and len(self.ede) < 4:
                info = int.from_bytes(self.data[value + 4 : value + 6])
                self.ede.append((info, text.decode("utf-8", "replace")[:200]))
            value += 4 + length
        if value != end:
            raise WireError("EDNS options overrun OPT")
