"""The upstreams of the settings: the general ones, and those of each zone; whoever asks in this house asks them alike.

Counterparts: `pipeline.py` for what clients ask, `lookup.py` for what the hub needs.
"""

from collections.abc import Callable, Sequence

from namewarden.net.abilities import Wishes
from namewarden.net.system import ourselves_in, system_servers, without_ourselves
from namewarden.net.upstreams import Upstreams
from namewarden.process.paths import StartError
from namewarden.settings import Settings, split_endpoint


def upstreams_of(settings: Settings, notify: Callable[[str], None]) -> Upstreams:
    """Those of the settings, or the system's; our own listeners are refused. None at all is said, and is no fault."""
    given = settings.upstream.servers
    servers, problems = without_ourselves(given or system_servers(), listeners_of(settings))
    if problems and given:
        raise StartError("\n".join(problems))
    if not servers:
        notify(
            "no upstream: neither upstream.servers nor the system names one; only local names are answered"
        )
    return upstreams_to(servers, settings)


def zone_upstreams_of(settings: Settings) -> list[Upstreams]:
    """Of each zone its own, so that each has its own state."""
    if problems := ourselves_in(settings.zones, listeners_of(settings)):
        raise StartError("\n".join(problems))
    return [upstreams_to(zone.servers, settings) for zone in settings.zones]


def listeners_of(settings: Settings) -> list[tuple[str, int]]:
    return [split_endpoint(each) for each in settings.dns.listen]


def upstreams_to(servers: Sequence[str], settings: Settings) -> Upstreams:
    """These servers, asked as the settings wish."""
    wanted = settings.upstream
    return Upstreams(
        servers,
        wanted.timeout,
        wanted.total,
        settings.dns.udp_payload,
        trust_ad=wanted.trust_ad,
        wishes=Wishes(wanted.mixed_case, wanted.cookies),
    )
