"""The system's resolvers: what /etc/resolv.conf says, as upstream URLs, without ourselves.

The file belongs to others: it is read within bounds and odd lines are passed over.
"""

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from namewarden.settings import Zone

RESOLV_CONF = Path("/etc/resolv.conf")
LARGEST = 65536  # octets read
MOST = 8  # servers taken; the C library takes 3
DEFAULT_PORT = 53


def system_servers(path: Path = RESOLV_CONF) -> list[str]:
    """`nameserver` lines as udp:// URLs, in order, each once; empty where there is no such file."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("ascii", "replace")
    except OSError:
        return []
    found = (_server(line) for line in text.splitlines())
    return list(dict.fromkeys(url for url in found if url))[:MOST]


def _server(line: str) -> str | None:
    words = line.split()
    if len(words) < 2 or words[0] != "nameserver":
        return None
    try:
        address = ipaddress.ip_address(words[1])
    except ValueError:
        return None
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"udp://{host}:{DEFAULT_PORT}"


def without_ourselves(
    servers: Sequence[str],
    listening: Sequence[tuple[str, int]],
    setting: str = "upstream.servers",
) -> tuple[list[str], list[str]]:
    """(servers that may be asked, why the others may not): asking our own listener would go round for ever."""
    kept, problems = [], []
    for url in servers:
        parts = urlsplit(url)
        target = ipaddress.ip_address(parts.hostname or "")
        port = parts.port or DEFAULT_PORT
        own = next(
            (listener for listener in listening if _is_listener(target, port, listener)), None
        )
        if own is None:
            kept.append(url)
        else:
            problems.append(f"{setting}: {url} is our own listening address {own[0]}:{own[1]}")
    return kept, problems


def ourselves_in(zones: Sequence[Zone], listening: Sequence[tuple[str, int]]) -> list[str]:
    """Which servers of zones may not be asked, and why."""
    return [
        problem
        for place, zone in enumerate(zones)
        for problem in without_ourselves(zone.servers, listening, f"zones.{place}.servers")[1]
    ]


def _is_listener(
    target: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, listener: tuple[str, int]
) -> bool:
    address = ipaddress.ip_address(listener[0])
    if port != listener[1]:
        return False
    if (
        address.is_unspecified
    ):  # listens on every address of this machine: loopback is certainly one
        return target.is_loopback or target.is_unspecified
    return target == address
