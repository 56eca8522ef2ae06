"""What a line of a list becomes: a rule, or the reason why it is none. The words of every reader of this room."""

from ipaddress import ip_address
from typing import Literal

from msgspec import Struct

from namewarden.policy.spec import Match, Trigger
from namewarden.policy.terms import Terms

Effect = Literal[
    "own", "allow", "nxdomain", "nodata", "drop", "tcp-only", "data", "refused", "ask"
]  # ask: lifts what shorter names deny
# Why a line became no rule. Bounded: it is counted and may be a metric label.
Reason = Literal[
    "blank", "comment", "header", "part", "name", "syntax", "address", "port", "url", "path", "mapping",
    "cosmetic", "option", "client", "unanchored", "wildcard", "pattern", "broad", "long",
    "expires", "apex", "outside", "trigger", "type", "include", "action",
]  # fmt: skip
LINE_LIMIT = 1024  # no name or pattern we take is longer


class ListRule(Struct, frozen=True):
    """What a line means. `own` is the list's kind; `zone` rules match as a DNS zone does (RFC 4592)."""

    name: str  # lower-case FQDN ("." = all), or RE2 source when match is pattern
    match: Match = "exact"
    effect: Effect = "own"
    zone: bool = False
    records: tuple[tuple[str, int, str], ...] = ()
    trigger: Trigger = "qname"  # of a zone; else the name is a name server's, or a network
    terms: Terms | None = None
    suffix: str = ""  # of an expression: it finds only names below this one


Reading = tuple[ListRule, ...] | Reason


def is_address(text: str) -> bool:
    try:
        ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True
