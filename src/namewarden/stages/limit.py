"""Who may ask, and how fast. Keyed by the socket's address, never by ECS: the client writes ECS.

Token buckets for prefixes (/24, /56) in arrays of fixed size, so no flood of addresses costs memory. A prefix
finds its slot by a keyed hash: nobody can aim at another's bucket. Counterpart: the packet cache of `net/`
shares the same `Buckets`.
"""

from array import array
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import ip_network

from namewarden.policy.groups import plain_address
from namewarden.query import Answer, Handler, Query, Stage, Verdict
from namewarden.stages.given import given
from namewarden.wire.errors import Rcode

ANSWER, DROP, TRUNCATE = 0, 1, 2
SLOTS = 1 << 16  # 1.3 MB; two of a thousand busy prefixes share one with a chance of 1 in 65
REMEMBERED = 8192  # addresses whose slot need not be worked out anew
PREFIX_V4, PREFIX_V6 = 24, 56  # what one subscriber or site commonly holds
PROHIBITED = (18, "")  # RFC 8914 §4.19
LIMITED = Verdict("block", "limit")
SILENCE = Answer(0, silent=True, status="LIMITED", verdict=LIMITED)
TRUNCATION = Answer(0, tc=True, status="LIMITED", verdict=LIMITED)
_EXEMPT = -1


class Buckets:
    """The access list and the buckets. `now` is monotonic seconds."""

    def __init__(
        self,
        allow: Sequence[str],
        rate: float,
        burst: float,
        slip: int,
        exempt: Sequence[str],
        secret: bytes,
        slots: int = SLOTS,
    ) -> None:
        self.rate, self.burst, self.slip = rate, burst, slip
        self.limited = 0  # queries above the limit
        self._secret = secret[:64]
        self._slots = slots
        self._tokens = array("d", [burst]) * slots
        self._last = array("d", [0.0]) * slots
        self._over = array("L", [0]) * slots
        exempted, allowed = _masks(exempt), _masks(allow)
        self._slot_of = lru_cache(REMEMBERED)(lambda client: self._slot(client, exempted))
        self.is_allowed: Callable[[str], bool] = lru_cache(REMEMBERED)(
            lambda client: _is_in(client, allowed)
        )

    def is_limited(self, client: str) -> bool:
        """False for the exempt: `admit` always lets them through."""
        return self.rate > 0 and self._slot_of(client) != _EXEMPT

    def admit(self, client: str, now: float) -> int:
        """Take a token: ANSWER, or DROP or TRUNCATE where there is none."""
        slot = self._slot_of(client)
        if slot == _EXEMPT or self.rate <= 0:
            return ANSWER
        tokens = self._tokens[slot]
        if (passed := now - self._last[slot]) > 0:  # what waited in a listener's queue is older
            tokens = min(tokens + passed * self.rate, self.burst)
            self._last[slot] = now
        if tokens >= 1:
            self._tokens[slot] = tokens - 1
            return ANSWER
        self._tokens[slot] = tokens
        return self._refuse(slot)

    def _refuse(self, slot: int) -> int:
        """Every `slip`-th is truncated: an honest client behind a forged flood can still come by TCP."""
        self.limited += 1
        over = self._over[slot] = (self._over[slot] + 1) & 0xFFFFFFFF
        return TRUNCATE if self.slip and over % self.slip == 0 else DROP

    def _slot(self, client: str, exempt: "_Masks") -> int:
        if _is_in(client, exempt):
            return _EXEMPT
        digest = blake2b(prefix_of(client), key=self._secret, digest_size=8)
        return int.from_bytes(digest.digest()) % self._slots


_Masks = list[tuple[int, int, int]]  # (bits of the family, mask, network)


def _masks(networks: Sequence[str]) -> _Masks:
    parsed = [ip_network(text, strict=False) for text in networks]
    return [(n.max_prefixlen, int(n.netmask), int(n.network_address)) for n in parsed]


def prefix_of(client: str) -> bytes:
    """What counts as one client."""
    bits, value = _number(client)
    prefix = value >> (bits - (PREFIX_V4 if bits == 32 else PREFIX_V6))
    return prefix.to_bytes(16) + bytes((bits,))


def _number(client: str) -> tuple[int, int]:
    """(bits of its family, the address as a number); an IPv4 address in IPv6 clothes is IPv4."""
    address = plain_address(client)
    return address.max_prefixlen, int(address)


def _is_in(client: str, masks: _Masks) -> bool:
    bits, value = _number(client)
    return any(size == bits and value & mask == network for size, mask, network in masks)


def limit(buckets: Buckets, streams: Buckets | None = None) -> Stage:
    """Over the limit: silence or TC over UDP, REFUSED over TCP. Below it, strangers are refused with EDE 18.

    In this order, so that nobody makes us talk to others by forging addresses that may not ask. `streams` is for TCP:
    who is sent there from under a forged flood must be answered there, and nobody forges a connection.
    """
    streams = streams or buckets
    prohibited = Answer(
        Rcode.REFUSED, ede=(PROHIBITED,), status="REFUSED", verdict=Verdict("block", "acl")
    )
    refusal = Answer(Rcode.REFUSED, status="LIMITED", verdict=LIMITED)

    def stage(query: Query, following: Handler) -> Awaitable[Answer]:
        asked = buckets if query.transport == "udp" else streams
        admitted = asked.admit(query.client, query.now)
        is_friend = buckets.is_allowed(query.client)
        if admitted == ANSWER:
            return following(query) if is_friend else given(prohibited)
        if query.transport != "udp":
            return given(refusal)
        # A stranger that comes by TCP instead is refused there.
        return given(TRUNCATION if admitted == TRUNCATE and is_friend else SILENCE)

    return stage
