"""An upstream's message without the records that have nothing to do with its question: what nobody asked for is neither
judged nor passed on.

Nearly every message is clean and left as it is: the C helper sees it, or `look` here. Else dnspython writes it anew.
Counterpart: `received.py`, which reads what is left.
"""

from collections.abc import Callable
from struct import error as LayoutError

import dns.exception
import dns.message
import dns.name
import dns.rdatatype as types
import dns.rrset

from namewarden import native
from namewarden.wire.errors import Unreadable, WireError
from namewarden.wire.message import HEADER, RECORD
from namewarden.wire.names import from_wire, skip

CLOSER, SERVICES = 1, 2  # what `look` says: some record may not belong here; HTTPS or SVCB records
_MOST_RECORDS = 256  # of a message that must be written anew
_HOSTS = {types.NS: 0, types.PTR: 0, types.MX: 2, types.SVCB: 2, types.HTTPS: 2, types.SRV: 6}
_ANSWERING = {types.A, types.AAAA, types.CNAME, types.DNAME, types.SVCB, types.HTTPS}
_BESIDE = _ANSWERING | {types.NS, types.RRSIG}  # of other records in additional nobody makes use

_HELPER = native.load("namewarden.wire._scrub")


def look(data: bytes, start: int) -> int:
    """Bits about the records behind the question, which ends at `start`; 0 also of what cannot be read."""
    if len(data) < start or HEADER.unpack_from(data)[2] != 1:
        return 0
    answers, authority, additional = HEADER.unpack_from(data)[3:]
    found, at, hosts = 0, start, set[str]()
    try:
        chain = [from_wire(data, 12)[0]]
        for index in range(answers + authority + additional):
            section = (index >= answers) + (index >= answers + authority)
            at, kind, is_good = _one(data, at, section, chain, hosts)
            found |= CLOSER * (not is_good) | SERVICES * (kind in (types.SVCB, types.HTTPS))
    except WireError:
        return CLOSER
    except (LayoutError, IndexError, _Unreadable):
        return 0
    return found


class _Unreadable(Exception):
    """The reader says what is wrong."""


def _one(
    data: bytes, at: int, section: int, chain: list[str], hosts: set[str]
) -> tuple[int, int, bool]:
    """(offset after the record, its type, whether it belongs here). Fills the chain, and the hosts that data name."""
    try:
        end = skip(data, at)
    except WireError:
        raise _Unreadable from None
    kind, _, _, length = RECORD.unpack_from(data, end)
    value = end + RECORD.size
    if value + length > len(data):
        raise _Unreadable
    try:
        is_good = _belongs(from_wire(data, at)[0], kind, section, chain, hosts)
        if section == 0 and kind == types.CNAME and is_good:
            chain.append(from_wire(data, value)[0])
        if kind in _HOSTS:
            hosts.add(from_wire(data, value + _HOSTS[kind])[0])
    except WireError:
        is_good = False
    return value + length, kind, is_good


def _belongs(owner: str, kind: int, section: int, chain: list[str], hosts: set[str]) -> bool:
    if kind == types.OPT:
        return True
    if section == 0:
        return owner in chain or (kind == types.DNAME and _is_above(owner, chain))
    if section == 1:
        return _is_above(owner, chain) if kind == types.NS else kind not in _ANSWERING
    return kind not in _BESIDE or (kind != types.NS and (owner in hosts or owner in chain))


def _is_above(owner: str, chain: list[str]) -> bool:
    """Whether it is one of the names, or above one."""
    return owner == "." or any(name == owner or name.endswith(f".{owner}") for name in chain)


seen: Callable[[bytes, int], int] = _HELPER.look if _HELPER else look  # every answer comes by


def without_strangers(data: bytes) -> bytes:
    """The message less what does not belong in it, itself where all does: a chain in another order, for example.
    Unreadable: it cannot be cleaned."""
    if sum(HEADER.unpack_from(data)[3:]) > _MOST_RECORDS:
        raise Unreadable("has many records that do not belong to its question")
    try:
        message = dns.message.from_wire(data, one_rr_per_rrset=True)
        before = [len(section) for section in message.sections]
        _clean(message)
        if [len(section) for section in message.sections] == before:
            return data
        return message.to_wire(max_size=65535)
    except (dns.exception.DNSException, ValueError) as error:
        raise Unreadable("cannot be cleaned of what does not belong to its question") from error


def _clean(message: dns.message.Message) -> None:
    chain = _chain(message)

    def is_above(rrset: dns.rrset.RRset) -> bool:
        return any(name.is_subdomain(rrset.name) for name in chain)

    message.answer = [
        rrset
        for rrset in message.answer
        if rrset.name in chain or (types.DNAME in (rrset.rdtype, rrset.covers) and is_above(rrset))
    ]
    message.authority = [
        rrset
        for rrset in message.authority
        if (is_above(rrset) if rrset.rdtype == types.NS else rrset.rdtype not in _ANSWERING)
    ]
    kept = chain | _hosts([*message.answer, *message.authority, *message.additional])
    message.additional = [
        rrset
        for rrset in message.additional
        if rrset.rdtype not in _BESIDE or (rrset.rdtype != types.NS and rrset.name in kept)
    ]


def _chain(message: dns.message.Message) -> set[dns.name.Name]:
    """The name asked and what CNAMEs make of it, in whatever order they stand."""
    aliases = {
        rrset.name: rrset[0].target for rrset in message.answer if rrset.rdtype == types.CNAME
    }
    name: dns.name.Name | None = message.question[0].name
    chain = set[dns.name.Name]()
    while name is not None and name not in chain:
        chain.add(name)
        name = aliases.get(name)
    return chain


def _hosts(rrsets: list[dns.rrset.RRset]) -> set[dns.name.Name]:
    """The names whose addresses may stand beside the records that name them; in another class some name none."""
    data = [rrset[0] for rrset in rrsets if rrset.rdtype in _HOSTS]
    hosts = {getattr(each, "exchange", None) or getattr(each, "target", None) for each in data}
    return {host for host in hosts if host is not None}
