"""Names that are answered here and never asked upstream: a table, each line with its RFC.

Counterpart: `stages/local.py`, which answers by it.
"""

from collections.abc import Iterable
from functools import cache

from namewarden.detector.suffixes import in_ascii, rules
from namewarden.policy.names import suffixes

# What is done at the name and below it.
LOOPBACK = "loopback"  # A and AAAA of loopback
NXDOMAIN = "nxdomain"  # neither it nor anything below exists
NODATA = "nodata"  # it exists and has nothing
EMPTY = "empty"  # RFC 6303: an empty zone; SOA and NS at its top, nothing below

_NAMES = {
    "localhost.": LOOPBACK,  # RFC 6761 §6.3
    "invalid.": NXDOMAIN,  # RFC 6761 §6.4; `example` and example.com are resolved as ever (§6.5)
    "test.": NXDOMAIN,  # RFC 6761 §6.2
    "onion.": NXDOMAIN,  # RFC 7686 §2
    "alt.": NXDOMAIN,  # RFC 9476 §3
    "local.": NXDOMAIN,  # RFC 6762 §22.1: multicast names leaked
    "internal.": NXDOMAIN,  # reserved for private use by ICANN, 2024
    "home.arpa.": EMPTY,  # RFC 8375 §4
    "resolver.arpa.": NODATA,  # RFC 9462 §6.4: no encrypted listener is announced
    "use-application-dns.net.": NXDOMAIN,  # canary: browsers keep to this resolver
    "mask.icloud.com.": NXDOMAIN,  # canaries: a relay that would go round this resolver stays off
    "mask-h2.icloud.com.": NXDOMAIN,
}

# RFC 6303 §4 and the IANA registry "Locally-Served DNS Zones".
_REVERSE = (
    "0.in-addr.arpa.", "127.in-addr.arpa.", "10.in-addr.arpa.", "168.192.in-addr.arpa.",
    "254.169.in-addr.arpa.", "2.0.192.in-addr.arpa.", "100.51.198.in-addr.arpa.",
    "113.0.203.in-addr.arpa.", "255.255.255.255.in-addr.arpa.",
    *(f"{n}.172.in-addr.arpa." for n in range(16, 32)),
    *(f"{n}.100.in-addr.arpa." for n in range(64, 128)),  # RFC 7793
    "0." * 32 + "ip6.arpa.", "1." + "0." * 31 + "ip6.arpa.",
    "d.f.ip6.arpa.", "c.f.ip6.arpa.",  # unique local: fd00::/8 of RFC 6303, and the unassigned fc00::/8
    "8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.", "a.e.f.ip6.arpa.", "b.e.f.ip6.arpa.",
    "8.b.d.0.1.0.0.2.ip6.arpa.",
)  # fmt: skip

ZONES: dict[str, str] = {**_NAMES, **dict.fromkeys(_REVERSE, EMPTY)}

# Never asked upstream, whoever wants it: these say why.
FIXED = {
    "localhost.": "localhost is this machine and nothing else (RFC 6761)",
    "invalid.": "names below invalid do not exist, by definition (RFC 6761)",
    "onion.": "names below onion are Tor's and no DNS server may learn them (RFC 7686)",
}

# Names within those zones that have something: the loopback addresses (RFC 6761 §6.3).
LOOPBACK_POINTERS = {"1.0.0.127.in-addr.arpa.", "1." + "0." * 31 + "ip6.arpa."}

# Canaries are asked for by their very names; below other zones everything is special. So a name that ends
# otherwise is passed on after two looks.
ENDINGS = frozenset(zone[:-1].rpartition(".")[2] for zone in ZONES) - {"com", "net"}


def zone_of(name: str) -> str | None:
    """The zone of the table that holds `name`, the longest; None for nearly every name there is."""
    if name in ZONES:
        return name
    if name[name.rfind(".", 0, -1) + 1 : -1] not in ENDINGS:
        return None
    while name:
        if name in ZONES:
            return name
        name = name.partition(".")[2]
    return None


def problems(resolve: Iterable[str]) -> list[str]:
    """Which names of the setting local.resolve are none that would be answered here, or may not be asked upstream."""
    found = []
    for name in resolve:
        zone = zone_of(f"{name}.")
        if zone is None:
            found.append(f"local.resolve: {name} is no special-use name (docs/names.md lists them)")
        elif zone in FIXED:
            found.append(f"local.resolve: {name}: {FIXED[zone]}")
    return found


def is_within(name: str, zones: frozenset[str]) -> bool:
    """Whether it is one of them or below one."""
    return any(suffix in zones for suffix in suffixes(name))


@cache
def public_tlds() -> frozenset[str]:
    """Top-level domains of the ICANN section, as `com`; IDNs as xn--."""
    tops = {rule.rpartition(".")[2] for rule, is_icann in rules() if is_icann}
    return frozenset(top if top.isascii() else in_ascii(top) for top in tops)
