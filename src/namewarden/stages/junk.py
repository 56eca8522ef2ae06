"""Names that programs ask for and nobody means: single labels, and public names with a search suffix behind them.

A program that looks for `www.example.com` along the network's search list asks for `www.example.com.corp.example.org`.
Hosts in a part of the network that is named like a top-level domain (`db1.dev`, `srv.it`, `mail.de`) look the same, and
a false denial is worse than a question too many. So only popular names of `com` and `org` are junk. Counterpart:
`local.py`.
"""

from collections.abc import Callable, Container, Iterable

from namewarden.query import Query
from namewarden.wire.errors import Rcode
from namewarden.wire.types import DNSKEY, DS, NS, SOA

ABOUT_A_TLD = {NS, SOA, DS, DNSKEY}
PUBLIC = (
    "com",
    "org",
)  # with the most popular names below them, and nobody's word for a part of a network

Junk = Callable[[Query], Rcode | None]


def junk(search: Iterable[str], tlds: Container[str], is_popular: Callable[[str], bool]) -> Junk:
    """How junk is denied, None for what is none. `is_popular`: of a registrable domain, such as `example.com.`"""
    suffixes = tuple("." + suffix.strip(".").lower() + "." for suffix in search)

    def find(query: Query) -> Rcode | None:
        label, _, rest = query.name.partition(".")
        if label and not rest:
            return _single(query, label, tlds)
        for suffix in suffixes:
            if query.name.endswith(suffix):
                *_, domain, tld = ["", *query.name[: -len(suffix)].split(".")]
                if domain and tld in PUBLIC and is_popular(f"{domain}.{tld}."):
                    return Rcode.NXDOMAIN
        return None

    return find


def _single(query: Query, label: str, tlds: Container[str]) -> Rcode | None:
    if label not in tlds:
        return Rcode.NXDOMAIN
    # It is there, and so is what lies below it: NXDOMAIN would deny all that (RFC 8020).
    return None if query.qtype in ABOUT_A_TLD else Rcode.NOERROR
