"""Lines of block lists → rules, or the reason why not. Nine formats; `auto` recognises each line by itself.

hosts and plain names match that name alone; `||x^`, `.x`, dnsmasq, Unbound and BIND zones the name and all
below; `*.x` only below; `@@` allows inside a deny list; RPZ as written (`rpz.py`); `/re/` is RE2 on the name
without its final dot. A line that a DNS filter cannot honour whole is skipped, never read as something else.
Counterpart: `scan.py` reads the common shapes of the same lines fast; a test holds the two together.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Literal

from msgspec import Struct

from namewarden.policy import names, patterns
from namewarden.policy.spec import Match, Trigger

Effect = Literal["own", "allow", "nxdomain", "nodata", "drop", "tcp-only", "data"]
# Why a line became no rule. Bounded: it is counted and may be a metric label.
Reason = Literal[
    "blank", "comment", "header", "name", "syntax", "address", "port", "url", "path", "mapping",
    "cosmetic", "option", "unanchored", "wildcard", "pattern", "long",
    "apex", "outside", "trigger", "type", "include", "action",
]  # fmt: skip
LINE_LIMIT = 1024  # no name or pattern we take is longer
HEADERS = frozenset(
    "localhost localhost.localdomain local broadcasthost ip6-localhost ip6-loopback ip6-localnet "
    "ip6-mcastprefix ip6-allnodes ip6-allrouters ip6-allhosts 0.0.0.0".split()
)
# AdBlock options that leave a rule a DNS rule: `important` (our precedence is fixed), `all` (every request).
HONOURED = frozenset(("", "important", "all"))
_COSMETIC = re.compile(r"#[@?$%]{0,2}#(?![#\s]|$)|\$\$|\$@\$")
_BARE_PATTERN = re.compile(r"^\^[^|/]*\$?$|\\\.|[A-Za-z0-9)\]]\$$")
_PATTERN_SIGNS = frozenset("\\^$[](){}|*+?")
_LOCAL_ZONE = re.compile(r'local-zone:\s*"?([^"\s]+)"?\s+"?([a-z_]+)"?\s*(?:#.*)?$', re.I)
_LOCAL_DATA = re.compile(r"""local-data:\s*(["'])([^"']*)\1\s*(?:#.*)?$""", re.I)
_BLOCKING_ZONES = frozenset(
    "always_nxdomain always_null always_nodata always_refuse always_deny static refuse deny redirect "
    "inform_deny inform_redirect".split()
)
_BIND_ZONE = re.compile(
    r'zone\s++"?+([^"\s{]++)"?+\s*+(?:IN\s*+)?\{([^{}]*+)\}\s*+;?+\s*+(?:(?://|#).*)?$', re.I
)
_BIND_OWNER = re.compile(r"\btype\s+(?:master|primary)\s*;", re.I)
_DNSMASQ = re.compile(r"(address|server|local)=/(.*)/([^/]*)$")


class ListRule(Struct, frozen=True):
    """What a line means. `own` is the list's kind; `zone` rules match as a DNS zone does (RFC 4592)."""

    name: str  # lower-case FQDN ("." = all), or RE2 source when match is pattern
    match: Match = "exact"
    effect: Effect = "own"
    zone: bool = False
    records: tuple[tuple[str, int, str], ...] = ()
    trigger: Trigger = (
        "qname"  # of a zone; else than qname the name is a name server's, or a network
    )


Reading = tuple[ListRule, ...] | Reason


def read_line(text: str, form: str = "auto") -> Reading:
    """What one line of any format but a zone's says. RPZ needs its lines in order: `rpz.Zone`."""
    line = text.strip()
    if not line:
        return "blank"
    if len(line) > LINE_LIMIT:
        return "long"
    if form == "regex":
        return "comment" if line[0] == "#" else _pattern(line)
    if line[0] in "#!;" and not _COSMETIC.match(line) or line.startswith("//"):
        return "comment"
    return _READERS.get(form, _auto)(line)


def _auto(line: str) -> Reading:
    if line.startswith(("||", "@@", "|", "[Adblock")) or _COSMETIC.search(line.split()[0]):
        return _adblock(line)
    if line.startswith(("address=", "server=", "local=")):
        return _dnsmasq(line)
    if line.startswith(("local-zone:", "local-data:", "server:")):
        return _unbound(line)
    if line.startswith("zone "):
        return _bind(line)
    if line.startswith("/") and line.endswith("/") and len(line) > 2:
        return _slashed(line)
    if _BARE_PATTERN.search(line) and not set("/,=:~ \t") & set(line):
        return _pattern(line)
    return _plain(line)


def _plain(line: str) -> Reading:
    """hosts, domains, `*.x`, `.x`; the rest is named for what it is.

    Where the format is not said, a lone word or `-x.y` is a piece of a URL (AdBlock), not a domain.
    """
    words = _uncommented(line).split()
    if len(words) > 1:
        return _hosts(line)
    reading = _name(words[0])
    if isinstance(reading, tuple) and reading[0].match != "below":
        name = reading[0].name
        return reading if "." in name[:-1] and name[0] != "-" else "name"
    return reading


def _uncommented(line: str) -> str:
    """Without ` # why`. A # that touches the name is no comment: `a.example#@#x` is AdBlock's."""
    at = line.find(" #") if " #" in line else line.find("\t#")
    return line[:at].rstrip() if at >= 0 else line


def _name(text: str) -> Reading:
    """One name: `x`, `x.`, `*.x`, `.x`."""
    match: Match = "exact"
    bare = text
    if text.startswith("*."):
        match, bare = "below", text[2:]
    elif text.startswith("."):
        match, bare = "both", text[1:]
    if bare.lower() in HEADERS:
        return "header"
    name = names.listed(bare)
    return (ListRule(name, match),) if name else _not_a_name(text)


def _not_a_name(text: str) -> Reason:
    if "://" in text:
        return "url"
    if _is_address(text.partition("/")[0]):
        return "address"
    if "/" in text:
        return "path"
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit():
        return "port" if names.listed(host) else "address" if _is_address(host) else "syntax"
    if "^" in text or "|" in text:
        return "unanchored"
    return "wildcard" if "*" in text else "name"


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


def _hosts(line: str) -> Reading:
    """`ADDRESS NAME…`. An address that leads somewhere real is a mapping, not a block."""
    address, *hosts = _uncommented(line).split()
    if not _is_address(address) and address != "0":
        return "url" if "://" in address else "path" if "/" in address else "syntax"
    if not hosts:
        return "address"
    if not _is_sink(address):
        return "header" if all(host.lower() in HEADERS for host in hosts) else "mapping"
    wanted = [host for host in hosts if host.lower() not in HEADERS]
    if not wanted:
        return "header"
    found = [name for host in wanted if (name := names.listed(host))]
    return tuple(ListRule(name) for name in found) if found else _not_a_name(wanted[0])


def _is_sink(text: str) -> bool:
    """0, 0.0.0.0, 127.0.0.1, ::, private pixel servers: nowhere a client could be led astray."""
    bare = text.strip("[]").partition("%")[0]
    return bare in ("", "#", "0") or not ip_address(bare).is_global


def _adblock(line: str) -> Reading:
    if line.startswith("["):
        return "header"
    if _COSMETIC.search(line):
        return "cosmetic"
    effect: Effect = "allow" if line.startswith("@@") else "own"
    body = line.removeprefix("@@")
    if body.startswith("/") and body.endswith("/") and len(body) > 2:
        return _slashed(body, effect)
    body, _, options = body.partition("$")
    if "/" in body:
        return "path"
    if set(options.lower().split(",")) - HONOURED:
        return "option"
    if not body.startswith("||"):
        return "unanchored" if effect == "allow" or set("|^*") & set(body) else _plain(body)
    return _anchored(body[2:], effect)


def _anchored(body: str, effect: Effect) -> Reading:
    """What follows `||`: `x^`, `x^|`, `x`, `*.x^`."""
    bare = body.removesuffix("|").removesuffix("^")
    match: Match = "both"
    if bare.startswith("*."):
        match, bare = "below", bare[2:]
    if "*" in bare:
        return "wildcard"
    if "^" in bare or "|" in bare or (bare.endswith(".") and bare == body):
        return "unanchored"  # `||ads.` means ads.anything
    name = names.listed(bare)
    return (ListRule(name, match, effect),) if name else _not_a_name(bare)


def _slashed(line: str, effect: Effect = "own") -> Reading:
    """`/re/`; without a sign of a pattern, or with a slash inside, it is a path of a URL."""
    source = line[1:-1]
    if set("/@%=&~ ") & set(source) or not _PATTERN_SIGNS & set(source):
        return "path"
    return _pattern(source, effect)


def _pattern(source: str, effect: Effect = "own") -> Reading:
    slashed = len(source) > 2 and source[0] == source[-1] == "/"
    source = source[1:-1] if slashed else source
    return (ListRule(source, "pattern", effect),) if patterns.is_usable(source) else "pattern"


def _dnsmasq(line: str) -> Reading:
    found = _DNSMASQ.match(line.partition(" #")[0].strip())
    if not found:
        return "syntax" if line.startswith(("address=", "server=", "local=")) else "option"
    keyword, hosts, target = found.groups()
    if target and keyword != "address":
        return "option"  # forwards somewhere: no block
    if target not in ("", "#") and not _is_address(target):
        return "syntax"
    if not _is_sink(target):
        return "mapping"
    listed = [names.listed(host.removeprefix("*.").removeprefix(".")) for host in hosts.split("/")]
    rules = tuple(ListRule(name, "both") for name in listed if name)
    return rules or _not_a_name(hosts.partition("/")[0])


def _unbound(line: str) -> Reading:
    if line.split("#")[0].strip() == "server:":
        return "header"
    if found := _LOCAL_ZONE.match(line):
        name = names.listed(found[1])
        if found[2].lower() not in _BLOCKING_ZONES:
            return "option"
        return (ListRule(name, "both"),) if name else _not_a_name(found[1])
    if found := _LOCAL_DATA.match(line):
        return _local_data(found[2].split())
    return "syntax"


def _local_data(words: list[str]) -> Reading:
    if len(words) < 3 or not _is_address(words[-1]) or not _is_sink(words[-1]):
        return "mapping"
    owner = words[0]
    name = names.listed(owner)
    return (ListRule(name),) if name else _not_a_name(owner)


def _bind(line: str) -> Reading:
    found = _BIND_ZONE.match(line)
    if not found or not _BIND_OWNER.search(found[2]):
        return "syntax"  # a forwarder's or a secondary's zone is no block
    name = names.listed(found[1])
    return (ListRule(name, "both"),) if name else _not_a_name(found[1])


def _domains(line: str) -> Reading:
    return _name(_uncommented(line))


_READERS: dict[str, Callable[[str], Reading]] = {
    "auto": _auto,
    "hosts": _hosts,
    "domains": _domains,
    "wildcard": _domains,
    "adblock": _adblock,
    "dnsmasq": _dnsmasq,
    "unbound": _unbound,
    "bind": _bind,
}
