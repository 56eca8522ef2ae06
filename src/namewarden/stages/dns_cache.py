"""Answers kept, bounded in bytes, the least lately used forgotten first. Counterpart: `stages/cache.py`.

What an entry costs was measured (tests/stages/test_dns_cache.py measures it again): its body, its name and the
texts found in it, and OVERHEAD for the objects around them.
"""

from collections import OrderedDict
from dataclasses import dataclass

from msgspec.structs import replace

from namewarden.query import Answer, Query
from namewarden.wire.errors import Rcode
from namewarden.wire.types import CNAME

# Name, type, class, DO, CD; and what else sets its answers apart, where something does.
Key = tuple[str, int, int, bool, bool] | tuple[str, int, int, bool, bool, int]
OVERHEAD = 800  # octets of key, entry, Answer and its tuples, and its place in the order
TEXT = 64  # octets of each CNAME and address text beside its letters
OFFSET = 40  # octets of each TTL offset
_NXDOMAIN = int(Rcode.NXDOMAIN)  # a member of an Enum costs as much as a function where it is named


@dataclass
class CacheCounts:
    """What the cache has done since the start."""

    hits: int = 0
    misses: int = 0
    coalesced: int = 0  # misses that joined a question already on its way
    stale: int = 0
    evictions: int = 0


class CachedAnswer:
    """An answer kept. Times are monotonic seconds."""

    __slots__ = ("answer", "dead", "expires", "retry_at", "size")

    def __init__(self, answer: Answer, expires: float, dead: float, size: int) -> None:
        self.answer = answer
        self.expires = expires
        self.dead = dead  # until here it may serve stale
        self.retry_at = 0.0  # refreshing failed: served stale until here without asking again
        self.size = size


class DnsCache:
    """A size of 0 keeps nothing."""

    def __init__(
        self,
        size: int,
        max_ttl: int = 86_400,
        negative_ttl: int = 900,
        stale: int = 86_400,
    ) -> None:
        self.size = size
        self.max_ttl = max_ttl
        self.negative_ttl = negative_ttl
        self.stale = stale
        self.counts = CacheCounts()
        self.bytes = 0
        self._entries: OrderedDict[Key, CachedAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now: float) -> CachedAnswer | None:
        """Fresh or stale; what is dead is forgotten."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now >= entry.dead:
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, answer: Answer, ttl: int, stale: int) -> None:
        """Keep `answer` for `ttl` seconds from when it was stored, and `stale` more for bad times."""
        size = OVERHEAD + len(answer.body) + len(key[0]) + OFFSET * len(answer.ttls)
        for text in answer.cnames:
            size += TEXT + len(text)
        for text in answer.targets:
            size += TEXT + len(text)
        for text in answer.addresses:
            size += TEXT + len(text)
        if key in self._entries:
            self._remove(key)
        if size > self.size:
            return
        expires = answer.stored + ttl
        self._entries[key] = CachedAnswer(answer, expires, expires + stale, size)
        self.bytes += size
        while self.bytes > self.size:
            self._remove(next(iter(self._entries)))
            self.counts.evictions += 1

    def _remove(self, key: Key) -> None:
        self.bytes -= self._entries.pop(key).size

    def clear(self) -> None:
        self._entries.clear()
        self.bytes = 0

    def capped(self, query: Query, answer: Answer) -> Answer:
        """The answer with no TTL above what we keep it for, so that nobody below us keeps it longer."""
        limit = self.max_ttl
        if is_negative(query, answer):
            limit = min(
                answer.ttl, self.negative_ttl
            )  # SOA TTL and MINIMUM: the lesser (RFC 2308 §5)
        return with_ttls(answer, limit)


def is_negative(query: Query, answer: Answer) -> bool:
    """NXDOMAIN or NODATA, behind CNAMEs too."""
    answers = answer.counts[0]
    only_chain = answers == len(answer.cnames) and query.qtype != CNAME
    return answer.rcode == _NXDOMAIN or not answers or only_chain


def with_ttls(answer: Answer, most: int, exactly: bool = False) -> Answer:
    """No TTL above `most`, or all of them `most`."""
    body = None
    for at in answer.ttls:
        if exactly or int.from_bytes(answer.body[at : at + 4]) > most:
            body = body or bytearray(answer.body)
            body[at : at + 4] = most.to_bytes(4)
    if body is None and answer.ttl <= most:
        return answer
    ttl = most if exactly else min(answer.ttl, most)
    return replace(answer, body=answer.body if body is None else bytes(body), ttl=ttl)
