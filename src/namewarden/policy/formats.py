"""Lines of block lists → rules, or the reason why not. Nine formats; `auto` recognises each line by itself.

hosts and plain names match that name alone; `.x`, `*.x`, dnsmasq, Unbound and BIND zones the name and all below;
`server=/x/#` and transparent zones lift what a shorter name denies; AdBlock as AdGuard has it (`adblock.py`);
RPZ as written (`rpz.py`); expressions are RE2 (`expressions.py`). A line that a DNS filter cannot honour whole is
skipped, never read as something else. Counterpart: `scan.py` reads the common shapes of the same lines fast; a test
holds the two together. `docs/lists.md` has the table.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

from namewarden.policy import adblock, addresses, expiry, expressions, names, options
from namewarden.policy.lines import LINE_LIMIT, Effect, ListRule, Reading, Reason, is_address
from namewarden.policy.spec import Match

HEADERS = frozenset(
    "localhost localhost.localdomain local broadcasthost ip6-localhost ip6-loopback ip6-localnet "
    "ip6-mcastprefix ip6-allnodes ip6-allrouters ip6-allhosts 0.0.0.0".split()
)
_QUOTED = r"""(?:"([^"\s]+)"|'([^'\s]+)'|([^"'\s]+))"""
_LOCAL_ZONE = re.compile(rf"""local-zone:\s*{_QUOTED}\s+["']?([a-z_]+)["']?\s*(?:#.*)?$""", re.I)
_LOCAL_DATA = re.compile(r"""local-data:\s*(["'])([^"']*)\1\s*(?:#.*)?$""", re.I)
_BLOCKING_ZONES = frozenset(
    "always_nxdomain always_null always_nodata always_refuse always_deny static refuse deny redirect "
    "inform_deny inform_redirect".split()
)
_ASKING_ZONES = frozenset("transparent typetransparent always_transparent inform".split())
_BIND_ZONE = re.compile(
    r'zone\s++"?+([^"\s{]++)"?+\s*+(?:IN\s*+)?\{((?:[^{}]++|\{[^{}]*+\})*+)\}\s*+;?+\s*+(?:(?://|#).*)?$',
    re.I | re.S,
)
_BIND_OWNER = re.compile(r"\btype\s+(?:master|primary)\s*;", re.I)
_COMMENTED = frozenset(
    ("hosts", "domains", "wildcard")
)  # plain: what follows a # is for people, and an expiry
_DNSMASQ = re.compile(r"(address|server|local)=/(.*)/([^/]*)$")


def read_line(text: str, form: str = "auto", broad: bool = False) -> Reading:
    """What one line of any format but a zone's says. RPZ needs its lines in order: `reader.Reader`.

    `broad`: an expression that finds every name is one, too.
    """
    reading = _read(text.strip(), form)
    return expressions.unbounded(text.strip()) if broad and reading == "pattern" else reading


def _read(line: str, form: str) -> Reading:
    if not line:
        return "blank"
    if len(line) > LINE_LIMIT:
        return "long"
    if form == "regex":
        return "comment" if line[0] == "#" else expressions.read(line)
    if line[0] in "#!;" and not adblock.is_cosmetic(line):
        return "comment"
    if line.startswith("//") and form != "adblock":
        return "comment"
    reading = _READERS.get(form, _auto)(line)
    return expiry.timed(line, reading) if form in _COMMENTED else reading


def _auto(line: str) -> Reading:
    if line[-1].isdigit() and line not in HEADERS:  # feeds of addresses hold nothing else
        if isinstance(reading := addresses.read(line), tuple):
            return reading
    if line.startswith(("address=", "server=", "local=")):
        return _dnsmasq(line)
    if line.startswith(("local-zone:", "local-data:", "server:")):
        return _unbound(line)
    if line.startswith("zone "):
        return bind(line)
    if adblock.is_adblock(line):
        return adblock.read(line)
    if expressions.is_bare(line):
        return expressions.read(line)
    return expiry.timed(line, _plain(line))


def _plain(line: str) -> Reading:
    """hosts, domains, `*.x`, `.x`; the rest is named for what it is.

    Where the format is not said, a lone word or `-x.y` is a piece of a URL (AdBlock), not a domain.
    """
    words = _uncommented(line).split()
    if len(words) > 1:
        return _hosts(line)
    reading = _name(words[0])
    is_name = isinstance(reading, tuple) and reading[0].trigger == "qname"
    if is_name and words[0][0] not in "*.":
        name = reading[0].name  # type: ignore[union-attr]
        return reading if "." in name[:-1] and name[0] != "-" else "name"
    return reading


def _uncommented(line: str) -> str:
    """Without ` # why`. A # that touches the name is no comment: `a.example#@#x` is AdBlock's."""
    at = line.find(" #") if " #" in line else line.find("\t#")
    return line[:at].rstrip() if at >= 0 else line


def _name(text: str) -> Reading:
    """One name: `x`, `x.`, `*.x`, `.x`; or an address."""
    match: Match = "exact"
    bare = text
    if text.startswith(
        ("*.", ".")
    ):  # dnscrypt-proxy, Blocky and those who make such lists mean x, too
        match, bare = "both", text.removeprefix("*")[1:]
    if bare.lower() in HEADERS:
        return "header"
    name = names.listed(bare)
    if name:
        return (ListRule(name, match),)
    reading = addresses.read(text)
    return _not_a_name(text) if reading == "address" else reading


def _not_a_name(text: str) -> Reason:
    if "://" in text:
        return "url"
    if is_address(text.partition("/")[0]):
        return "address"
    if "/" in text:
        return "path"
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit():
        return "port" if names.listed(host) else "address" if is_address(host) else "syntax"
    if "^" in text or "|" in text:
        return "unanchored"
    return "wildcard" if "*" in text else "name"


def _hosts(line: str) -> Reading:
    """`ADDRESS NAME…`. An address that leads somewhere real is a mapping, not a block."""
    address, *hosts = _uncommented(line).split()
    if not is_address(address) and address != "0":
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
    """AdBlock lists hold hosts lines and bare names, too."""
    if _is_bare_name(line):
        words = _uncommented(line).split()
        return _mapped(line) if len(words) > 1 else _name(words[0])
    return adblock.read(line, is_sure=True)


def _mapped(line: str) -> Reading:
    """A hosts line whose address is that of nowhere blocks; any other is the answer, as AdGuard has it."""
    address, *hosts = _uncommented(line).split()
    record = options.address_record(address.partition("%")[0])
    if record is None or (ip := ip_address(record[2])).is_unspecified or ip.is_loopback:
        return _hosts(line)
    found = [name for host in hosts if host.lower() not in HEADERS and (name := names.listed(host))]
    if not found:
        return "header" if all(host.lower() in HEADERS for host in hosts) else _not_a_name(hosts[0])
    return tuple(ListRule(name, effect="data", records=(record,)) for name in found)


def _is_bare_name(line: str) -> bool:
    if line.startswith(("|", "@@", "/", "[")) or "$" in line:
        return False
    words = _uncommented(line).split()
    return len(words) > 1 or names.listed(words[0]) is not None and not words[0].endswith(".")


def _dnsmasq(line: str) -> Reading:
    found = _DNSMASQ.match(line.partition(" #")[0].strip())
    if not found:
        return "syntax" if line.startswith(("address=", "server=", "local=")) else "option"
    keyword, hosts, target = found.groups()
    asks = (
        bool(target) and keyword != "address"
    )  # another server, or as usual: the block above it ends here
    if not asks and target not in ("", "#") and not is_address(target):
        return "syntax"
    if not asks and not _is_sink(target):
        return "mapping"
    listed = [names.listed(host.removeprefix("*.").removeprefix(".")) for host in hosts.split("/")]
    rules = tuple(ListRule(name, "both", "ask" if asks else "own") for name in listed if name)
    return rules or _not_a_name(hosts.partition("/")[0])


def _unbound(line: str) -> Reading:
    if line.split("#")[0].strip() == "server:":
        return "header"
    if found := _LOCAL_ZONE.match(line):
        owner, kind = found[1] or found[2] or found[3], found[4].lower()
        name = names.listed(owner)
        if kind not in _BLOCKING_ZONES | _ASKING_ZONES:
            return "option"
        effect: Effect = "ask" if kind in _ASKING_ZONES else "own"
        return (ListRule(name, "both", effect),) if name else _not_a_name(owner)
    if found := _LOCAL_DATA.match(line):
        return _local_data(found[2].split())
    return "syntax"


def _local_data(words: list[str]) -> Reading:
    if len(words) < 3 or not is_address(words[-1]) or not _is_sink(words[-1]):
        return "mapping"
    owner = words[0]
    name = names.listed(owner)
    return (ListRule(name),) if name else _not_a_name(owner)


def bind(line: str) -> Reading:
    """A whole zone statement; its lines may be joined."""
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
    "bind": bind,
}
