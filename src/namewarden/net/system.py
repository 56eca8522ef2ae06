"""The system's resolvers: what /etc/resolv.conf says, as upstream URLs, without ourselves.

The file belongs to others: it is read within bounds and odd lines are passed over.
"""

import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from namewarden.settings import Zone

RESOLV_CONF = Path("/etc/resolv.conf")
LARGEST = 65536  # octets read
MOST = 8  # servers taken; the C library takes 3
DEFAULT_PORT = 53
LOOPBACK = {4: ipaddress.ip_address("127.0.0.1"), 6: ipaddress.ip_address("::1")}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
        if problem := _problem(url, listening):
            problems.append(f"{setting}: {url} {problem}")
        else:
            kept.append(url)
    return kept, problems


def _problem(url: str, listening: Sequence[tuple[str, int]]) -> str:
    parts = urlsplit(url)
    target = ipaddress.ip_address(parts.hostname or "")
    scope = getattr(target, "scope_id", None)
    if scope and not scope.isdecimal() and scope not in [name for _, name in socket.if_nameindex()]:
        return f"is at no interface of this machine: there is no {scope}"
    for listener in listening:
        if _is_listener(_plain(target), parts.port or DEFAULT_PORT, listener):
            return f"is our own listening address {listener[0]}:{listener[1]}"
    return ""


def ourselves_in(zones: Sequence[Zone], listening: Sequence[tuple[str, int]]) -> list[str]:
    """Which servers of zones may not be asked, and why."""
    return [
        problem
        for place, zone in enumerate(zones)
        for problem in without_ourselves(zone.servers, listening, f"zones.{place}.servers")[1]
    ]


def _is_listener(target: Address, port: int, listener: tuple[str, int]) -> bool:
    address = _plain(ipaddress.ip_address(listener[0]))
    if port != listener[1]:
        return False
    if target.is_unspecified:  # who asks there asks this machine
        target = LOOPBACK[target.version]
    if address.is_unspecified:  # listens on every address of this machine
        return target.is_loopback or (target.version == address.version and is_here(str(target)))
    return target == address


def _plain(address: Address) -> Address:
    """IPv4 in IPv6 clothes is IPv4."""
    return getattr(address, "ipv4_mapped", None) or address


def is_here(host: str) -> bool:
    """Whether this machine has the address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as trial:
            trial.bind((host, 0))
    except OSError:
        return False
    return True
