"""Does DNS answer? Asked as a client would, over UDP, with a name that needs no upstream."""

import socket
from collections.abc import Iterable

from namewarden.settings import split_endpoint

LOCALHOST = (
    b"\x6e\x77\x01\x00\0\1\0\0\0\0\0\0\x09localhost\0\0\1\0\3"  # class CHAOS: it leaves no event
)
PATIENCE = 3.0  # seconds
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def dns_problem(endpoints: Iterable[str]) -> list[str]:
    """Which of the listening addresses do not answer `localhost`, and how."""
    return [f"{each}: {problem}" for each in endpoints if (problem := _ask(each))]


def _ask(endpoint: str) -> str:
    host, port = split_endpoint(endpoint)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        try:
            asking.connect((_ANY.get(host, host), port))
            asking.send(LOCALHOST)
            reply = asking.recv(4096)
        except OSError as error:
            return f"no answer ({error})"
    answered = reply[:2] == LOCALHOST[:2] and reply[3] & 15 == 0 and reply[7] > 0
    return "" if answered else "answers localhost wrongly"
