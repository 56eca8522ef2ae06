"""DNS messages in a byte stream: two octets of length, then the message (RFC 1035 §4.2.2). No socket here."""

LENGTH = 2


class Framing:
    """Feed it what arrived, take whole messages. Holds at most one unfinished message."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are now whole, in order; empty ones too: the caller says what they are worth."""
        held = self._held
        held += data
        messages = []
        at = 0
        while len(held) - at >= LENGTH:
            end = at + LENGTH + (held[at] << 8 | held[at + 1])
            if end > len(held):
                break
            messages.append(bytes(held[at + LENGTH : end]))
            at = end
        del held[:at]
        return messages

    @property
    def is_within(self) -> bool:
        """Whether a message has begun and has not ended."""
        return bool(self._held)


def frame(message: bytes) -> bytes:
    """The message behind its length."""
    return len(message).to_bytes(LENGTH) + message
