"""Whether the strictest client can read a record that strangers made: names, lengths, strings, parameters.

dnspython is that client. What is usual is checked in place; a message with anything else it reads and writes anew.
Counterpart: `_message.c`, which takes the usual types and leaves all others to these functions.
"""

import dns.exception
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from namewarden.wire import types
from namewarden.wire.errors import WireError

_MAX_OCTETS = 255
_MAX_POINTERS = 16  # as dnspython
IN = 1

# Octets before the names of a type's data, and whether each may be compressed (RFC 3597 §4, RFC 9460 §2.2).
_NAMES: dict[int, tuple[int, tuple[bool, ...]]] = {
    types.NS: (0, (True,)),
    types.CNAME: (0, (True,)),
    types.PTR: (0, (True,)),
    types.SOA: (0, (True, True)),
    types.MX: (2, (True,)),
    types.SRV: (6, (True,)),
    types.DNAME: (0, (False,)),
    types.RRSIG: (18, (False,)),
    types.NSEC: (0, (False,)),
    types.SVCB: (2, (False,)),
    types.HTTPS: (2, (False,)),
}
_LAST = frozenset((types.NS, types.CNAME, types.PTR, types.DNAME, types.MX, types.SRV))
_AFTER_NAMES = {types.SOA: 20} | dict.fromkeys(_LAST, 0)  # octets
_OCTETS = {types.A: 4, types.AAAA: 16}
_NAMELESS = frozenset((types.TXT, types.DS, types.DNSKEY, types.NSEC3))
USUAL = frozenset((*_NAMES, *_OCTETS, *_NAMELESS))


def read_name(data: bytes, offset: int, labels: set[int], compressed: bool = True) -> int:
    """The offset after the name at `offset`, whose labels are added to `labels`. WireError.

    A pointer must lead to one of these: the end of a name read before, or one of its labels. What else lies in a
    message, the header and the TTLs first of all, is another when the message is sent on.
    """
    own: list[int] = []
    at, end, octets, jumps = offset, 0, 1, 0
    try:
        while length := data[at]:
            if length < 64:
                if not end:
                    own.append(at)
                at += length + 1
                octets += length + 1
                continue
            target = (length & 63) << 8 | data[at + 1]
            jumps += 1
            if length < 192 or not compressed or target not in labels or jumps > _MAX_POINTERS:
                raise WireError("a name is compressed as none may be")
            end = end or at + 2
            at = target
    except IndexError:
        raise WireError("a name runs past the end") from None
    if octets > _MAX_OCTETS:
        raise WireError("a name is longer than 255 octets")
    labels.update(own)
    if not end:
        labels.add(at)
    return end or at + 1


def check(data: bytes, kind: int, offset: int, end: int, labels: set[int]) -> None:
    """The data of a record of a usual type, class IN. WireError where a strict client cannot read it."""
    octets = _OCTETS.get(kind)
    if octets is not None:
        if end - offset != octets:
            raise WireError("an address has another length")
        return
    before, names = _NAMES.get(kind, (0, ()))
    at = offset + before
    for compressed in names:
        at = read_name(data, at, labels, compressed)
    rest = _AFTER_NAMES.get(kind)
    if rest is None:
        _check_all(data, kind, offset, end)
    elif at + rest != end:
        raise WireError("a record's data have another length")


def _check_all(data: bytes, kind: int, offset: int, end: int) -> None:
    try:
        rdtype = dns.rdatatype.RdataType.make(kind)
        dns.rdata.from_wire(dns.rdataclass.IN, rdtype, data, offset, end - offset)
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(f"a record's data cannot be read: {error}") from None


def rebuilt(data: bytes) -> bytes:
    """The message without its OPT, each name compressed as it should be. WireError where it cannot be read."""
    try:
        message = dns.message.from_wire(data)
        message.use_edns(False)
        return message.to_wire(max_size=65535, want_shuffle=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise WireError(f"cannot be read: {error}") from None
