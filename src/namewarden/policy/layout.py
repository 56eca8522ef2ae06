"""The one fingerprint table of a snapshot: how an entry is packed, where it lies, how it is found.

An entry is 8 octets: tag 27 bits | match 2 | effect 3 | offset 32. It lies at the first free place from its
home on (linear probing); homes grow with the fingerprint, so a sorted array is placed without a loop.
Fingerprints are BLAKE2b of the name with a secret of the installation: nobody can build a collision. A hit is
always confirmed against the text at `offset`. Before the table stands a sieve of one bit for each CRC-32, which
spares most names that are not listed the fingerprint; who builds a collision there gains nothing.
Counterparts: `compile.py` builds, `snapshot.py` asks.
"""

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from namewarden.policy.lines import Effect
from namewarden.policy.spec import ListKind, Match

if TYPE_CHECKING:
    from hashlib import blake2b as Hash

LOAD = 0.6  # a miss looks at 3.6 places, and an entry costs 13.3 octets
TAG_BITS = 27
TAG_MASK = (1 << TAG_BITS) - 1
TAG_SHIFT, KIND_SHIFT = 37, 32
MATCHES: dict[Match, int] = {"exact": 1, "below": 2, "both": 3}
EXACT, BELOW = 1, 2  # bits of a match
RECORD, DENY, ALLOW, GUARD, NXDOMAIN, NODATA, DROP, TCP_ONLY = range(8)
REFUSED, ASK = 8, 9  # of records alone
EFFECTS: dict[Effect, int] = {
    "nxdomain": NXDOMAIN,
    "nodata": NODATA,
    "drop": DROP,
    "tcp-only": TCP_ONLY,
    "allow": ALLOW,
    "refused": REFUSED,
    "ask": ASK,
}
OWN: dict[ListKind, int] = {"deny": DENY, "allow": ALLOW, "guard": GUARD}
TEXT_LIMIT = 1 << 32  # what an offset reaches

Words = npt.NDArray[np.uint64]
Sums = npt.NDArray[np.uint32]


def hasher(secret: bytes) -> "Hash":
    """The keyed base: `copy`, `update(name)`, `digest` is the fingerprint (twice as fast as a new one)."""
    if len(secret) != 32:
        raise ValueError("the secret has 32 octets")
    return blake2b(digest_size=8, salt=secret[:16], person=secret[16:])


def code_of(effect: Effect, kind: ListKind) -> int:
    """The effect's number; in allow and guard lists every rule is the list's own kind."""
    return OWN[kind] if kind != "deny" or effect == "own" else EFFECTS.get(effect, RECORD)


def place(prints: Words, lows: Words, sources: npt.NDArray[Any]) -> tuple[Words, int, int]:
    """(table, homes, entries). `lows` are kind and offset; of repeats in a list the first stays."""
    order = np.argsort(prints, kind="stable")  # that uses what is sorted already: each list is
    prints = prints[order]
    fresh = np.ones(len(prints), bool)
    shared = np.flatnonzero(_repeated(prints))  # few as a rule: only they are ordered further
    among = order[shared]
    kinds = (sources[among].astype(np.uint64) << np.uint64(8)) | (
        lows[among] >> np.uint64(KIND_SHIFT)
    )
    turn = np.lexsort((lows[among], kinds, prints[shared]))
    order[shared], kinds, marks = among[turn], kinds[turn], prints[shared]
    fresh[shared[1:]] = (marks[1:] != marks[:-1]) | (kinds[1:] != kinds[:-1])
    if not fresh.all():
        prints, order = prints[fresh], order[fresh]
    return _placed(prints, lows[order])


def _repeated(ordered: Words) -> npt.NDArray[np.bool_]:
    """Which are there more than once."""
    like_next = ordered[1:] == ordered[:-1]
    found = np.zeros(len(ordered), bool)
    found[1:] |= like_next
    found[:-1] |= like_next
    return found


def _placed(prints: Words, lows: Words) -> tuple[Words, int, int]:
    """In place where it can be: what two million entries need for a moment is the most that the compiler takes."""
    count = len(prints)
    homes = max(int(count / LOAD), 1)
    home = prints >> np.uint64(32)
    home *= np.uint64(homes)
    home >>= np.uint64(32)
    steps = np.arange(count, dtype=np.int64)
    places = home.view(np.int64)
    places -= steps
    np.maximum.accumulate(places, out=places)
    places += steps
    size = max(homes, int(places[-1]) + 1 if count else 0) + 1  # the last place is always free
    entries = prints & np.uint64(TAG_MASK)
    entries <<= np.uint64(TAG_SHIFT)
    entries |= lows
    table = np.zeros(size, dtype="<u8")
    table[places] = entries
    return table, homes, count


def sieve_of(sums: Sums) -> tuple[npt.NDArray[np.uint8], int]:
    """(bits, mask): bit `crc & mask` is set for every entry; 8 to 16 bits an entry."""
    bits = max(1 << (8 * len(sums)).bit_length(), 8)
    mask = min(bits, 1 << 32) - 1
    flags = np.zeros(mask + 1, bool)
    flags[sums & np.uint32(mask)] = True
    return np.packbits(flags, bitorder="little"), mask
