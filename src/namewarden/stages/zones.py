"""Zones of one's own: names that are asked of servers of their own, for all clients or for those of some groups.

They are the operator's: never special, never scored; rules and lists judge them. The longest name wins, of equals the
one that is for the group. Counterparts: `local.py`, `verdict.py`, `cache.py` and `forward.py` ask in which zone a name
is; `pipeline.py` puts `leading_out` around the cache.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from namewarden.policy.names import suffixes
from namewarden.query import Answer, Handler, Query, Stage
from namewarden.settings import Zone as ZoneSettings
from namewarden.stages import special
from namewarden.wire import sections
from namewarden.wire.joined import beyond, join
from namewarden.wire.types import CNAME, DS, SOA

EVERYBODY = ""  # in place of a group's name


@dataclass(frozen=True)
class Zone:
    """A name of the settings, and whose servers it has."""

    name: str  # with its final dot
    place: int  # of its entry in the settings, and so of its servers
    key: int  # what tells its answers from those that others get for the same name; 0 = all get the same


class Zones:
    """Immutable. `of` costs a look at the last label for nearly every name there is."""

    def __init__(self, settings: Sequence[ZoneSettings]) -> None:
        self._named: dict[str, dict[str, Zone]] = {}
        for place, entry in enumerate(settings):
            for name in entry.names:
                for group in entry.groups or (EVERYBODY,):
                    zone = Zone(f"{name}.", place, place + 1 if entry.groups else 0)
                    self._named.setdefault(zone.name, {})[group] = zone
        self._endings = frozenset(_ending(name) for name in self._named)
        self._above = frozenset(name for zone in self._named for name in suffixes(zone)[1:])
        self.differ = any(
            entry.groups for entry in settings
        )  # whether groups see names differently

    def of(self, name: str, group: str) -> Zone | None:
        """The zone that a client of the group finds the name in."""
        if _ending(name) not in self._endings:
            return None
        for suffix in suffixes(name):
            found = self._named.get(suffix)
            if found and (zone := found.get(group) or found.get(EVERYBODY)):
                return zone
        return None

    def serving(self, query: Query) -> Zone | None:
        """The zone whose servers are asked. The DS of `home.arpa.` and kin is the parent's to answer: it proves that
        they may be unsigned (RFC 8375 §4)."""
        zone = self.of(query.name, query.group)
        if zone is None or query.qtype != DS or special.ZONES.get(query.name) != special.EMPTY:
            return zone
        return self.of(query.name.partition(".")[2], query.group)

    def key_of(self, query: Query) -> int:
        """What a cache must keep apart beside the question."""
        zone = self.serving(query)
        return zone.key if zone else 0

    def is_above(self, name: str) -> bool:
        """Whether a zone lies below the name: then it exists, though it has nothing (RFC 8020)."""
        return name in self._above


def by_zone(zones: Zones, general: Handler, own: Sequence[Handler]) -> Handler:
    """Asks the servers of the name's zone, `own` in the order of the settings; for all other names the general ones."""

    def ask(query: Query) -> Awaitable[Answer]:
        zone = zones.serving(query)
        return (general if zone is None else own[zone.place])(query)

    return ask


def leading_out(zones: Zones, targets: Stage, kept: Stage) -> Stage:
    """Around the cache: a CNAME that leads out of its zone is followed where the zone's server does not, being
    authoritative only. Each half is kept apart. `targets` are answered here, as in `local.py`."""

    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        zone = zones.serving(query)
        if zone is None or query.qtype == CNAME:
            return kept(query, following)
        return followed(query, following, zone)

    async def followed(query: Query, following: Handler, zone: Zone) -> Answer:
        below = await kept(query, following)
        if below.rcode or not below.cnames or len(below.cnames) != below.counts[0]:
            return below
        inner = zones.of(below.cnames[-1], query.group)
        head = None if inner and inner.place == zone.place else _open_end(query, below)
        if head is None:
            return below
        asked = beyond(query, head.cnames[-1])
        tail = await targets(asked, lambda target: kept(target, following))
        return below if tail.status == "REFUSED" else join(query, head, asked, tail)

    return stage


def _open_end(query: Query, below: Answer) -> Answer | None:
    """The CNAMEs of an answer, unless it says that what they lead to has nothing."""
    message = sections.message_of(query, below)
    if message is None or any(rrset.rdtype == SOA for rrset in message.authority):
        return None
    head = sections.aliases(message, query, len(below.cnames))
    return replace(head, cnames=below.cnames) if head else None


def _ending(name: str) -> str:
    return name[name.rfind(".", 0, -1) + 1 : -1]
