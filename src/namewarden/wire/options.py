"""EDNS options of a client's message: nothing here answers one, so queries that differ in them alone are the same.

Counterparts: the packet cache, which takes them out before it looks for an answer, and its C helper, which does so too.
"""

_ONE_QUESTION_AND_OPT = b"\0\1\0\0\0\0\0\1"
_OPT = b"\0\0\x29"  # the root's name and the type
_FIXED = 11  # octets of an OPT without options


def without_options(data: bytes) -> bytes:
    """The message with a bare OPT; as it is where it is not one question and an OPT that its options fill.

    A client that sends a fresh cookie each time (RFC 7873 §5.1; dig and BIND do) is then one that asks again. What
    is wrong with an option stays in the message, for its FORMERR.
    """
    size = len(data)
    if data[4:12] != _ONE_QUESTION_AND_OPT or (data[-2:] == b"\0\0" and data[-11:-8] == _OPT):
        return data
    at = 12
    while at < size and data[at]:
        if data[at] > 63:
            return data
        at += 1 + data[at]
    opt = at + 5
    end = opt + _FIXED
    if end > size or data[opt : opt + 3] != _OPT or end + _two(data, opt + 9) != size:
        return data
    while end + 4 <= size:
        end += 4 + _two(data, end + 2)
    return data[: opt + 9] + b"\0\0" if end == size else data


def _two(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]
