"""Errors by whose fault: bytes that are not DNS, servers that do not answer. Each has one catcher."""

from enum import IntEnum


class Rcode(IntEnum):
    """RFC 1035, 6891; the ones this server says itself."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16


class WireError(Exception):
    """A message that is not DNS as we read it. `reply` is what to send back, None for silence."""

    def __init__(self, reason: str, reply: bytes | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


class Unreadable(WireError):
    """An answer to the very question, of which a strict client could not read all."""


class UpstreamError(Exception):
    """No server gave an answer: raised by net/upstreams.py, caught by stages/forward.py."""

    def __init__(self, reason: str, ede_code: int = 22, hard: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ede_code = ede_code  # RFC 8914: 22 No Reachable Authority, 23 Network Error
        self.hard = hard  # known at once: asking the same again helps nobody
