"""Domain names: wire octets to lower-case escaped text and back.

Text is what the rest of the house sees: `www.example.org.`, octets outside letters, digits, `-` and `_` as
`\\DDD` (RFC 4343 §2.1; master-file form), a dot inside a label too. So no control character, quote or
bracket of a hostile name reaches a log, a page or a pattern.
"""

from namewarden.wire.errors import WireError

_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-_."
_PLAIN_SET = frozenset(_PLAIN) - {ord(".")}
_MAX_OCTETS = 255
_MAX_TEXT = _MAX_OCTETS - 2  # without the first length and the end
_MAX_POINTERS = 16  # as dnspython; each must point backwards, so loops end anyway


# Octets of a name between its first length and its end: letters become small, lengths up to 44 become dots
# (45 and more would be `-` and digits), and what must be escaped becomes 0.
_LONGEST_SEEN = 44
_TEXT = bytes(
    octet
    if (char := chr(octet)) in "abcdefghijklmnopqrstuvwxyz0123456789-_"
    else ord(char.lower())
    if "A" <= char <= "Z"
    else ord(".")
    if octet <= _LONGEST_SEEN
    else 0
    for octet in range(256)
)


def from_wire(data: bytes, offset: int) -> tuple[str, int]:
    """The name at `offset` and the offset after it. Pointers are followed backwards only. WireError.

    Nearly every name has short labels of letters, digits, `-` and `_`: one translation makes its text. When all
    lengths are at most 44 and there are as many dots as lengths after the first, every dot is a length.
    """
    end = offset
    count = -1
    try:
        while (length := data[end]) and length <= _LONGEST_SEEN:
            end += length + 1
            count += 1
    except IndexError:
        raise WireError("name runs past the end") from None
    text = data[offset + 1 : end].translate(_TEXT)
    if length or count < 0 or text.count(b".") != count or 0 in text or len(text) > _MAX_TEXT:
        return _from_wire(data, offset)
    return text.decode() + ".", end + 1


def _from_wire(data: bytes, offset: int) -> tuple[str, int]:
    """The same, octet by octet: pointers, long labels, the root, what must be escaped."""
    labels: list[bytes] = []
    end = 0
    jumps = 0
    lowest = offset
    try:
        while length := data[offset]:
            if length < 64:
                offset += length + 1
                labels.append(data[offset - length : offset])
                continue
            if length < 192:
                raise WireError("label type is not known")
            target = ((length & 63) << 8) | data[offset + 1]
            end = end or offset + 2
            jumps += 1
            if target >= lowest or jumps > _MAX_POINTERS:
                raise WireError("compression pointer does not point back")
            lowest = offset = target
    except IndexError:
        raise WireError("name runs past the end") from None
    return text_of(labels), end or offset + 1


def skip(data: bytes, offset: int) -> int:
    """The offset after the name at `offset`; what a pointer points at is not looked at. WireError."""
    try:
        while length := data[offset]:
            if length >= 192:
                return offset + 2
            if length > 63:
                raise WireError("label type is not known")
            offset += length + 1
    except IndexError:
        raise WireError("name runs past the end") from None
    return offset + 1


def text_of(labels: list[bytes]) -> str:
    """Labels to text, checked against the length limits of RFC 1035 §2.3.4. WireError."""
    joined = b".".join(labels).lower()
    if len(joined) > _MAX_TEXT:
        raise WireError("name is longer than 255 octets")
    if joined.translate(None, _PLAIN) or joined.count(b".") != len(labels) - 1:
        return ".".join(_escape(label) for label in labels) + "."
    return joined.decode() + "."


def _escape(label: bytes) -> str:
    return "".join(
        chr(octet) if octet in _PLAIN_SET else f"\\{octet:03d}" for octet in label.lower()
    )


def labels_of(name: str) -> list[bytes]:
    """Text to labels, escapes undone. WireError when it cannot be a name."""
    if not name.isascii():
        raise WireError(f"{name[:80]!r} has letters that must be written as xn--")
    if ".." in name or (name[:1] == "." and name != "."):
        raise WireError(f"{name[:80]!r} has an empty label")
    if "\\" not in name:
        return [label.encode() for label in name.split(".") if label]
    labels, current, rest = [], bytearray(), iter(name)
    for char in rest:
        if char == ".":
            labels.append(bytes(current))
            current.clear()
        elif char == "\\":
            current.append(_unescape("".join(next(rest, "") for _ in range(3))))
        else:
            current.append(ord(char))
    labels.append(bytes(current))
    return [label for label in labels if label]


def _unescape(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and int(digits) < 256):
        raise WireError(f"\\{digits} is not an escaped octet")
    return int(digits)


def to_wire(name: str) -> bytes:
    """Text to uncompressed octets. WireError when a label or the whole is too long."""
    labels = labels_of(name)
    wire = b"".join(bytes((len(label) & 255,)) + label for label in labels) + b"\0"
    if len(wire) > _MAX_OCTETS or any(len(label) > 63 for label in labels):
        raise WireError(f"{name[:80]} is longer than a name may be")
    return wire
