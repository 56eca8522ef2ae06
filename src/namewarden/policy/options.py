"""AdBlock's options after `$`, as far as DNS has them: what they make of a rule, or why it is none.

Counterpart: `adblock.py` reads what stands before. The words are those of AdGuard's DNS filtering.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from msgspec import Struct
from msgspec.structs import replace

from namewarden.policy import names
from namewarden.policy.lines import Effect, Reason
from namewarden.policy.terms import Terms, network_of

REWRITE_TTL = 10  # seconds, as AdGuard Home's
_RCODES: dict[str, Effect] = {"NXDOMAIN": "nxdomain", "REFUSED": "refused", "NOERROR": "nodata"}
_REWRITTEN = frozenset("A AAAA CNAME TXT MX PTR SRV SVCB HTTPS".split())
_PIECES = re.compile(r"(?:\\.|[^,\\'\"]|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\")+")
_CLIENTS = re.compile(r"~?(?:'((?:\\.|[^'\\])*)'|\"((?:\\.|[^\"\\])*)\"|([^|'\"]+))")
_MAC = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,7}", re.I)
Records = tuple[tuple[str, int, str], ...]


class Options(Struct, frozen=True):
    """What they say. `effect` is empty where the rule allows or denies as it would without them."""

    terms: Terms = Terms()
    effect: Effect | None = None
    records: Records = ()


def pieces(text: str) -> list[str]:
    """Option by option, as they are written."""
    found: list[str] = _PIECES.findall(text)
    return found


def read(text: str) -> Options | Reason:
    """`important,dnstype=A|AAAA` …"""
    made = Options()
    seen: set[str] = set()
    for piece in pieces(text):
        word, has_value, value = piece.partition("=")
        word = word.strip().lower()
        if word in seen:
            return "option"
        seen.add(word)
        read_one = _one(made, word, value.strip() if has_value else None)
        if isinstance(read_one, str):
            return read_one
        made = read_one
    return made


def _one(made: Options, word: str, value: str | None) -> Options | Reason:
    reader = _WITH_VALUE.get(word)
    if reader is None:
        return (value is None and _plain(made, word)) or "option"
    return reader(made, value or "") or "option"


def _plain(made: Options, word: str) -> Options | None:
    if word in ("", "all"):
        return made
    flags = {"important": "important", "badfilter": "is_bad"}
    if word not in flags:
        return None
    return replace(made, terms=replace(made.terms, **{flags[word]: True}))


def _types(made: Options, value: str) -> Options | Reason:
    wanted, unwanted = split_types(value, "|", "~")
    if not wanted and not unwanted:
        return "type"
    return replace(made, terms=replace(made.terms, types=wanted, not_types=unwanted))


def split_types(value: str, between: str, without: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the types wanted and not wanted; nothing at all where one is no type."""
    wanted: list[int] = []
    unwanted: list[int] = []
    for text in value.split(between):
        bare = text.strip().removeprefix(without)
        try:
            number = int(dns.rdatatype.from_text(bare))
        except (dns.exception.DNSException, ValueError):
            return (), ()
        (unwanted if text.strip().startswith(without) else wanted).append(number)
    if len({*wanted, *unwanted}) < len(wanted) + len(unwanted):
        return (), ()  # said twice
    return tuple(wanted), tuple(unwanted)


def _clients(made: Options, value: str) -> Options | Reason:
    wanted: list[str] = []
    unwanted: list[str] = []
    for found in _CLIENTS.finditer(value):
        text = re.sub(r"\\(.)", r"\1", found[1] or found[2] or found[3] or "").strip()
        if not text or _MAC.fullmatch(text) and network_of(text) is None:
            return "client"
        (unwanted if found[0].startswith("~") else wanted).append(text)
    if not wanted and not unwanted:
        return "client"
    terms = replace(made.terms, clients=tuple(wanted), not_clients=tuple(unwanted))
    return replace(made, terms=terms)


def _spared(made: Options, value: str) -> Options | None:
    found = [names.listed(text.strip()) for text in value.split("|")]
    if not all(found):
        return None
    spared = tuple(name for name in found if name)
    return replace(made, terms=replace(made.terms, spared=spared))


def _rewrite(made: Options, value: str) -> Options | None:
    """`1.2.3.4`, a name, a code, or `NOERROR;TYPE;VALUE`; nothing is meant for an allow alone."""
    made = replace(made, terms=replace(made.terms, rewrites=True))
    if not value:
        return made
    if value.upper() in _RCODES:
        return replace(made, effect=_RCODES[value.upper()])
    said = _full(value) if ";" in value else _short(value)
    if said is None:
        return None
    effect, records = said
    return replace(made, effect=effect, records=records)


def _short(value: str) -> tuple[Effect, Records] | None:
    record = address_record(value)
    if record is None:
        target = (
            names.listed(value) if "." in value else None
        )  # a lone word is a code that we do not answer
        if target is None:
            return None
        record = ("CNAME", REWRITE_TTL, target)
    return "data", (record,)


def address_record(text: str) -> tuple[str, int, str] | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return "A" if address.version == 4 else "AAAA", REWRITE_TTL, str(address)


def _full(value: str) -> tuple[Effect, Records] | None:
    code, _, rest = value.partition(";")
    kind, _, text = rest.partition(";")
    kind = kind.strip().upper()
    if code.upper() not in _RCODES or (kind and code.upper() != "NOERROR"):
        return None
    if not kind:
        return None if text else (_RCODES[code.upper()], ())
    record = _record(kind, text.strip())
    return ("data", (record,)) if record else None


def _record(kind: str, text: str) -> tuple[str, int, str] | None:
    if kind not in _REWRITTEN or not text:
        return None
    said = '"{}"'.format(text.replace("\\", "\\\\").replace('"', '\\"')) if kind == "TXT" else text
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, kind, said, dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError):
        return None
    return kind, REWRITE_TTL, rdata.to_text()


_WITH_VALUE: dict[str, Callable[[Options, str], Options | Reason | None]] = {
    "dnstype": _types,
    "client": _clients,
    "denyallow": _spared,
    "dnsrewrite": _rewrite,
}
