"""The one way in which bytes can be wrong."""

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
