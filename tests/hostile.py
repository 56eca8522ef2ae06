"""Hostile packets, made anew by a seed: what a parser, a UDP listener and a TCP listener must survive.

`packets()` gives (label, datagram), `streams()` gives (label, chunks of a TCP stream). The only right
replies are an answer, FORMERR (or the rcode the RFC names) or silence; never a traceback.
"""

import random
from collections.abc import Iterator

NAME = b"\x03www\x07example\x03org\x00"
A_IN = b"\0\1\0\1"
HEADER = b"\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"
PLAIN = HEADER + NAME + A_IN
EDNS = HEADER[:11] + b"\1" + NAME + A_IN + OPT

Labelled = tuple[str, bytes]


def packets(seed: int = 1, mutations: int = 2000) -> Iterator[Labelled]:
    """All of them, in a fixed order for a seed; about 2,700 with the default."""
    dice = random.Random(seed)
    for family in (truncated, pointers, names, counts, opts, headers, sections, sizes):
        yield from family(dice)
    yield from mutated(dice, mutations)


def query(name: bytes = NAME, tail: bytes = A_IN, head: bytes = HEADER) -> bytes:
    return head + name + tail


def header(qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0, flags: int = 0x0100) -> bytes:
    return b"\x12\x34" + b"".join(n.to_bytes(2, "big") for n in (flags, qd, an, ns, ar))


def truncated(_dice: random.Random) -> Iterator[Labelled]:
    for length in range(len(EDNS)):
        yield f"truncated at {length}", EDNS[:length]


def pointers(_dice: random.Random) -> Iterator[Labelled]:
    yield "pointer to itself", query(b"\xc0\x0c")
    yield "pointer forward", query(b"\xc0\x0e")
    yield "pointer into the header", query(b"\xc0\x00")
    yield "pointer past the end", query(b"\xff\xff")
    yield "half a pointer", HEADER + b"\xc0"
    yield "two pointers in a ring", query(b"\xc0\x0e\xc0\x0c")
    yield "label, then a ring", query(b"\x03www\xc0\x0c")
    yield (
        "chain of 200 pointers",
        query(b"".join((0xC000 | 12 + 2 * (n + 1)).to_bytes(2, "big") for n in range(200)) + NAME),
    )
    record = b"\xc0\x29\0\1\0\1\0\0\0\0\0\x04\1\2\3\4"
    yield "record whose owner points at itself", header(an=1) + NAME + A_IN + record
    backwards = NAME + A_IN + b"".join((0xC00C + 2 * n).to_bytes(2, "big") for n in range(60))
    yield "ladder of backward pointers", header(an=60) + backwards


def names(_dice: random.Random) -> Iterator[Labelled]:
    yield "label of 64", query(b"\x40" + b"a" * 64 + b"\0")
    yield "label type 0x80", query(b"\x80abc\0")
    yield "bit-string label 0x41", query(b"\x41\x08\xff\0")
    yield (
        "name of 255",
        query(
            b"\x3f"
            + b"a" * 63
            + b"\x3f"
            + b"b" * 63
            + b"\x3f"
            + b"c" * 63
            + b"\x3d"
            + b"d" * 61
            + b"\0"
        ),
    )
    yield (
        "name of 256",
        query(
            b"\x3f"
            + b"a" * 63
            + b"\x3f"
            + b"b" * 63
            + b"\x3f"
            + b"c" * 63
            + b"\x3e"
            + b"d" * 62
            + b"\0"
        ),
    )
    yield "name of 127 labels", query(b"\1a" * 127 + b"\0")
    yield "name of 128 labels", query(b"\1a" * 128 + b"\0")
    yield "name without an end", HEADER + b"\x03www\x07exam"
    yield "the root", query(b"\0")
    yield (
        "every octet",
        query(b"".join(bytes((8, *range(n, n + 8))) for n in range(0, 200, 8)) + b"\0"),
    )
    yield "markup in a name", query(b"\x08<script>\x03a&b\x04test\0")
    yield "dots, backslash, NUL in labels", query(b"\x04a.\\\0\x04\r\n\t\x7f\x04test\0")
    yield "terminal escapes", query(b"\x07\x1b[2J\x1b[H\x04test\0")


def counts(_dice: random.Random) -> Iterator[Labelled]:
    for qd, an, ns, ar in (
        (0, 0, 0, 0), (2, 0, 0, 0), (65535, 0, 0, 0), (1, 1, 0, 0), (1, 65535, 0, 0), (1, 0, 1, 0),
        (1, 0, 65535, 0), (1, 0, 0, 1), (1, 0, 0, 65535), (65535, 65535, 65535, 65535), (0, 0, 0, 1),
    ):  # fmt: skip
        yield f"counts {qd} {an} {ns} {ar}", header(qd, an, ns, ar) + NAME + A_IN
    yield "two questions", header(2) + NAME + A_IN + NAME + A_IN
    yield "2,000 questions", header(2000) + (NAME + A_IN) * 2000
    yield "trailing octets", PLAIN + b"trailing"
    yield "a second message behind", PLAIN + PLAIN


def opts(_dice: random.Random) -> Iterator[Labelled]:
    def with_opt(*records: bytes) -> bytes:
        return header(ar=len(records)) + NAME + A_IN + b"".join(records)

    def opt(
        data: bytes = b"", length: int = -1, ttl: bytes = b"\0\0\0\0", size: int = 1232
    ) -> bytes:
        said = len(data) if length < 0 else length
        return b"\0\0\x29" + size.to_bytes(2, "big") + ttl + said.to_bytes(2, "big") + data

    yield "OPT twice", with_opt(OPT, OPT)
    yield "OPT with an owner", with_opt(NAME + OPT[1:])
    yield "OPT with a pointer as owner", with_opt(b"\xc0\x0c" + OPT[1:])
    yield "OPT in the answer section", header(an=1) + NAME + A_IN + OPT
    yield "EDNS version 1", with_opt(opt(ttl=b"\0\1\0\0"))
    yield "EDNS version 255", with_opt(opt(ttl=b"\0\xff\0\0"))
    yield "EDNS extended rcode in a query", with_opt(opt(ttl=b"\xff\0\0\0"))
    yield "EDNS all flags", with_opt(opt(ttl=b"\0\0\xff\xff"))
    for size in (0, 1, 511, 512, 65535):
        yield f"EDNS payload {size}", with_opt(opt(size=size))
    yield "OPT length beyond the end", with_opt(opt(b"abc", length=400))
    yield "OPT length 65535", with_opt(opt(length=65535))
    yield "OPT length too small", with_opt(opt(b"\0\x0a\0\x08" + b"c" * 8, length=3))
    yield "option length beyond OPT", with_opt(opt(b"\0\x0a\xff\xff"))
    yield "half an option", with_opt(opt(b"\0"))
    yield "60,000 octets of option", with_opt(opt(b"\0\x0c\xea\x60" + bytes(60000)))
    yield "10,000 empty options", with_opt(opt(b"\0\x0c\0\0" * 10000))
    yield "ECS of family 9", with_opt(opt(b"\0\x08\0\x04\0\x09\xff\xff"))
    yield "ECS prefix 255", with_opt(opt(b"\0\x08\0\x08\0\1\xff\0\1\2\3\4"))
    yield "cookie of 7", with_opt(opt(b"\0\x0a\0\x07" + b"c" * 7))
    yield "TSIG last", with_opt(b"\x01k\0\0\xfa\0\xff\0\0\0\0\0\0")


def headers(_dice: random.Random) -> Iterator[Labelled]:
    for opcode in range(16):
        yield f"opcode {opcode}", header(flags=opcode << 11 | 0x0100) + NAME + A_IN
    yield "QR set", header(flags=0x8180) + NAME + A_IN
    yield "QR set and nothing else", header(0, flags=0x8000)
    yield "every flag", header(flags=0xFFFF) + NAME + A_IN
    yield "TC in a query", header(flags=0x0300) + NAME + A_IN
    yield "rcode in a query", header(flags=0x010F) + NAME + A_IN
    for qtype in (0, 41, 128, 249, 250, 251, 252, 253, 254, 255, 65279, 65535):
        yield f"type {qtype}", query(tail=qtype.to_bytes(2, "big") + b"\0\1")
    for qclass in (0, 2, 3, 4, 254, 255, 65535):
        yield f"class {qclass}", query(tail=b"\0\1" + qclass.to_bytes(2, "big"))


def sections(_dice: random.Random) -> Iterator[Labelled]:
    record = NAME + A_IN + b"\0\0\0\x3c\0\x04\1\2\3\4"
    yield "a query with an answer", header(an=1) + NAME + A_IN + record
    yield "a query with authority", header(ns=1) + NAME + A_IN + record
    yield "record length lies", header(an=1) + NAME + A_IN + record[:-6] + b"\xff\xff\1\2\3\4"
    yield "4,000 records", header(an=4000) + NAME + A_IN + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\0" * 4000
    yield (
        "negative TTL",
        header(an=1) + NAME + A_IN + NAME + A_IN + b"\xff\xff\xff\xff\0\x04\1\2\3\4",
    )


def sizes(dice: random.Random) -> Iterator[Labelled]:
    for size in (0, 1, 2, 11, 12, 13, 511, 512, 513, 1232, 1233, 4096, 9000, 65507, 65535):
        yield f"{size} zeros", bytes(size)
        yield f"{size} of 0xff", b"\xff" * size
        yield f"{size} of 0xc0", b"\xc0" * size
        yield f"{size} random", dice.randbytes(size)
        yield f"{size}, a query and padding", (PLAIN + bytes(size))[:size]


def mutated(dice: random.Random, times: int) -> Iterator[Labelled]:
    for number in range(times):
        data = bytearray(dice.choice((PLAIN, EDNS)))
        for _ in range(dice.randint(1, 6)):
            _mutate(dice, data)
        yield f"mutation {number}", bytes(data)


def _mutate(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    kind = dice.randrange(4)
    if kind == 0 and at < len(data):
        data[at] = dice.choice((0, 1, 0x3F, 0x40, 0xC0, 0xFF, dice.randrange(256)))
    elif kind == 1:
        data[at:at] = dice.randbytes(dice.randint(1, 8))
    elif kind == 2:
        del data[at : at + dice.randint(1, 4)]
    elif at < len(data):
        data[at] ^= 1 << dice.randrange(8)


def framed(message: bytes, length: int = -1) -> bytes:
    """A message behind its length, or behind a length that lies."""
    return (len(message) if length < 0 else length).to_bytes(2, "big") + message


def streams(seed: int = 1) -> Iterator[tuple[str, list[bytes]]]:
    """What a TCP listener meets; each chunk is sent on its own. Frames are at most 65,535 octets by nature."""
    dice = random.Random(seed)
    yield "nothing", []
    yield "half a length", [b"\0"]
    yield "length 0", [framed(b"")]
    yield "a thousand lengths of 0", [b"\0\0" * 1000]
    yield "length says more than comes", [framed(PLAIN, len(PLAIN) + 10)]
    yield "length says less than comes", [framed(PLAIN, len(PLAIN) - 5)]
    yield "length 65,535 and silence", [framed(PLAIN, 65535)]
    yield "one octet at a time", [bytes((octet,)) for octet in framed(PLAIN)]
    yield "many in one chunk", [framed(PLAIN) * 50]
    yield "cut in the second's length", [framed(PLAIN) + b"\0", b"\x21" + PLAIN]
    yield "an HTTP request", [b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"]
    yield "a TLS hello", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(32)]
    yield "noise", [dice.randbytes(3000)]
    for label, message in packets(seed, mutations=100):
        if len(message) <= 65535:
            yield f"framed: {label}", [framed(message)]
