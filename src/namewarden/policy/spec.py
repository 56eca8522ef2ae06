"""What policy is made of: the contract between the hub, which says it, and the compiler and the overlay.

All plain values. `SnapshotSpec` is what a snapshot holds; rules and decisions lie beside it, in the overlay.
"""

from typing import Literal

from msgspec import Struct

from namewarden.query import BlockMode, ModelMode

ListKind = Literal["deny", "allow", "guard"]
Match = Literal[
    "exact", "below", "both", "pattern"
]  # name alone; only below; name and all below; RE2
Trigger = Literal[
    "qname", "client-ip", "ip", "nsdname", "nsip", "address"
]  # the name asked; the client; an answer's address; its zone's name server, and that one's address; an
# answer's address again, of lists that are no zones
RuleEffect = Literal["allow", "deny", "redirect"]
DECISION = "decision"  # the id of every decision


class ListSpec(Struct, frozen=True):
    """A subscribed list, a file on this machine. Its rank is its place: the first list that says something wins."""

    name: str
    path: str
    kind: ListKind = "deny"
    format: str = "auto"  # auto, or one of the nine: every line is read as that format
    broad: bool = False  # lines that reach more than one in a hundred popular names are taken, too
    keep: int = 0  # days that a line holds after the file has dropped it; of the plain formats


class GroupSpec(Struct, frozen=True):
    """Clients that share lists and modes. The longest prefix decides; `default` takes the rest."""

    name: str
    clients: tuple[str, ...] = ()  # networks in CIDR notation
    lists: tuple[str, ...] | None = None  # names; None = all
    mode: ModelMode = "enforce"
    block: BlockMode = "null"
    ttl: int = 10
    addresses: tuple[str, ...] = ()  # what mode ip answers
    redirect: tuple[str, ...] = ()  # honeypot or blackhole; empty = malicious names are blocked
    services: tuple[str, ...] = ()  # blocked, by the names that `chosen.py` knows
    safe_search: tuple[str, ...] = ()  # engines, likewise


class RuleSpec(Struct, frozen=True, gc=False, array_like=True):
    """A local rule or vetted decision: beats every subscribed list."""

    id: str  # of a rule; DECISION for a decision, of which a name has one
    name: str  # lower-case FQDN, or RE2 source when match is pattern
    effect: RuleEffect
    match: Match = "exact"
    groups: tuple[str, ...] = ()  # empty = all
    expires: float = 0.0  # epoch seconds; 0 = never
    reason: str = ""


class SnapshotSpec(Struct, frozen=True):
    lists: tuple[ListSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = (GroupSpec(name="default"),)
    token_hashes: tuple[str, ...] = ()  # SHA-256 hex: bearer tokens the verdict API accepts on TCP
    model: str = ""  # digest of the model in force
    token_expires: tuple[float, ...] = ()  # of each, epoch seconds; 0 = never
