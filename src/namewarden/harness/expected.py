"""What an answer should be, and whether it is. Pure.

An expectation is an action (`allow`, `block`, `redirect`), a response code, or records. What a block looks like is
no standard, so it is a set of signs (`Signs`).
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from msgspec import Struct

PLAIN = ("nxdomain", "nodata", "refused", "servfail", "null", "silence")
BLOCKED = ("null", "nxdomain", "nodata", "refused", "ede:15", "ede:16", "ede:17")
ACTIONS = {"allow": "allow", "flag": "allow", "review": "allow", "block": "block", "redirect": "redirect"}  # fmt: skip
NODATA, TIMEOUT = "NODATA", "TIMEOUT"
RCODES = frozenset(code.name for code in dns.rcode.Rcode)
ADDRESSES = ("A", "AAAA")
SHOWN = 8  # records of an answer in a sentence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Record(Struct, frozen=True):
    """One record of an answer; two are the same when type and `form` are."""

    qtype: str
    text: str
    form: bytes  # canonical (RFC 4034 §6.2): names in lower case


class Found(Struct, frozen=True):
    """What came back; `problem` when nothing did."""

    rcode: str = ""
    records: tuple[Record, ...] = ()  # of the answer section
    ede: tuple[tuple[int, str], ...] = ()
    problem: str = ""

    @property
    def text(self) -> str:
        """For people."""
        if self.problem:
            return self.problem
        said = [f"{record.qtype} {record.text}" for record in self.records[:SHOWN]]
        if len(self.records) > SHOWN:
            said.append(f"and {len(self.records) - SHOWN} more")
        codes = "".join(f" (EDE {code})" for code, _ in self.ede)
        return (", ".join(said) or (NODATA if self.rcode == "NOERROR" else self.rcode)) + codes


class Signs(Struct, frozen=True):
    """By what a block or a redirect is known."""

    plain: frozenset[str] = frozenset()
    codes: frozenset[int] = frozenset()  # RFC 8914
    blocked: tuple[Network, ...] = ()  # addresses of a page that says so
    redirected: tuple[Network, ...] = ()


class Expected(Struct, frozen=True):
    """`word` (an action or a response code) or `records`; neither when nothing is expected."""

    word: str = ""
    records: frozenset[tuple[str, bytes]] = frozenset()
    text: str = ""


def signs(blocked: Iterable[str], redirected: Iterable[str]) -> Signs:
    """Of words such as `nxdomain`, `ede:15`, `192.0.2.0/24`. ValueError."""
    plain, codes, networks = set(), set(), []
    for word in blocked:
        kind, _, number = word.lower().partition(":")
        if word.lower() in PLAIN:
            plain.add(word.lower())
        elif kind == "ede" and number.isdecimal():
            codes.add(int(number))
        else:
            networks.append(_network(word, f"{', '.join(PLAIN)}, ede:NUMBER, or a network"))
    return Signs(
        frozenset(plain),
        frozenset(codes),
        tuple(networks),
        tuple(_network(word, "a network") for word in redirected),
    )


def _network(word: str, choices: str) -> Network:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError as error:
        raise ValueError(f"{word!r} is not {choices}") from error


def read(text: str, qtype: str) -> Expected:
    """`block`, `NXDOMAIN`, `192.0.2.1 | 192.0.2.2`, `CNAME www.example.org. | 192.0.2.1`. ValueError."""
    if not text or text.lower() in ACTIONS:
        return Expected(ACTIONS.get(text.lower(), ""), text=text)
    if text.upper() in RCODES or text.upper() in (NODATA, TIMEOUT):
        return Expected(text.upper(), text=text)
    records = frozenset(_record(piece.strip(), qtype) for piece in text.split("|"))
    return Expected(records=records, text=text)


def _record(piece: str, qtype: str) -> tuple[str, bytes]:
    first, _, rest = piece.partition(" ")
    if rest and first.isupper() and first in dns.rdatatype.RdataType.__members__:
        qtype, piece = first, rest
    try:
        rdata = dns.rdata.from_text(
            dns.rdataclass.IN, dns.rdatatype.from_text(qtype), piece, dns.name.root, False
        )
        return qtype, rdata.to_digestable()
    except (dns.exception.DNSException, ValueError) as error:
        raise ValueError(
            f"{piece!r} is no {qtype} record, no response code, and none of {', '.join(ACTIONS)}"
        ) from error


def difference(expected: Expected, found: Found, by: Signs) -> str:
    """What is other than expected, for people; "" when nothing is. No answer is one, unless that is expected."""
    if found.problem:
        fits = expected.word == TIMEOUT or (expected.word == "block" and "silence" in by.plain)
        return "" if fits else found.problem
    if not (expected.word or expected.records) or _fits(expected, found, by):
        return ""
    return f"expected {expected.text}, found {found.text}"


def _fits(expected: Expected, found: Found, by: Signs) -> bool:
    word = expected.word
    if expected.records:
        types = {qtype for qtype, _ in expected.records}
        shown = {(each.qtype, each.form) for each in found.records if each.qtype in types}
        return shown == expected.records
    if word in ("allow", "block", "redirect"):
        # NODATA is what a name without the type has, and what some servers block with: it tells nothing.
        return action(found, by) == word or (
            word == "allow" and _is_nodata(found) and not found.ede
        )
    if word == NODATA:
        return _is_nodata(found)
    return found.rcode == word


def action(found: Found, by: Signs) -> str:
    """`allow`, `block`, `redirect`, as far as an answer shows it; "" when there is none."""
    if found.problem:
        return ""
    addresses = [ipaddress.ip_address(each.text) for each in found.records if each.qtype in ADDRESSES]  # fmt: skip
    if _are_within(addresses, by.redirected):
        return "redirect"
    shown = _SHOWS.items()
    if (
        any(word in by.plain and shows(found) for word, shows in shown)
        or any(code in by.codes for code, _ in found.ede)
        or _are_within(addresses, by.blocked)
        or ("null" in by.plain and addresses and all(each.is_unspecified for each in addresses))
    ):
        return "block"
    return "allow"


def _are_within(
    addresses: Sequence[ipaddress.IPv4Address | ipaddress.IPv6Address], networks: Sequence[Network]
) -> bool:
    return bool(addresses) and all(any(one in each for each in networks) for one in addresses)


def _is_nodata(found: Found) -> bool:
    return found.rcode == "NOERROR" and not found.records


_SHOWS: dict[str, Callable[[Found], bool]] = {
    "nxdomain": lambda found: found.rcode == "NXDOMAIN",
    "nodata": _is_nodata,
    "refused": lambda found: found.rcode == "REFUSED",
    "servfail": lambda found: found.rcode == "SERVFAIL",
}
