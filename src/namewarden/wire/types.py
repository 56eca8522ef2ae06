"""Mnemonics of types and rcodes, both ways (the IANA tables, as dnspython carries them)."""

from dns.rcode import Rcode as _Rcode
from dns.rdatatype import RdataType

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, DNAME, OPT = 1, 2, 5, 6, 12, 15, 16, 28, 33, 39, 41
DS, RRSIG, NSEC, DNSKEY, NSEC3, SVCB, HTTPS, ANY = 43, 46, 47, 48, 50, 64, 65, 255

_TYPES: dict[int, str] = {member.value: member.name.replace("_", "-") for member in RdataType}
_NUMBERS: dict[str, int] = {name: number for number, name in _TYPES.items()}
_RCODES: dict[int, str] = {member.value: member.name for member in _Rcode}


def type_name(number: int) -> str:
    """28 → AAAA; an unknown one as TYPE1234 (RFC 3597)."""
    return _TYPES.get(number) or f"TYPE{number}"


def type_number(name: str) -> int:
    """aaaa, TYPE28 → 28. ValueError for anything else."""
    upper = name.upper()
    if upper in _NUMBERS:
        return _NUMBERS[upper]
    digits = upper.removeprefix("TYPE")
    if digits != upper and digits.isascii() and digits.isdigit() and int(digits) < 65536:
        return int(digits)
    raise ValueError(f"{name!r} is not a DNS type such as A, AAAA, HTTPS or TYPE65")


def rcode_name(number: int) -> str:
    """3 → NXDOMAIN; an unknown one as RCODE99."""
    return _RCODES.get(number) or f"RCODE{number}"
