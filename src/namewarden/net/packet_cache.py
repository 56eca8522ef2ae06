"""The packet cache: a question answered lately is answered from bytes prepared then, before any object is built.

Keyed by the message as sent but for its id (so flags, 0x20 case, DO, CD and UDP size are in the key), one packet cache
for each client group. An entry counts its repeats and hands them to `repeat` at least once a second: one event
for identical repeats, and the counts add up. A new policy empties it; time makes it be judged anew.
Counterpart: `udp.py` asks it first and fills it after the chain.
"""

from collections.abc import Callable

from namewarden.query import Answer, Query

# (query, answer, client, epoch seconds of the first, how many)
Repeat = Callable[[Query, Answer, str, float, int], None]
GENERATION = 20_000  # entries before the older half is forgotten; an entry is about 1.5 kB
SEEN = 1 << 17
REJUDGE = 60.0  # seconds after which even an answer without TTL goes down the chain again
LONGEST_KEY = 300  # octets: a question and a bare OPT; anything longer does not come twice
_NEVER_REPEATED = frozenset({"LIMITED", "FAILED", "REFUSED", "CACHE_STALE", "DROPPED"})


class PacketEntry:
    """Prepared bytes, how long they are right, and the repeats not yet recorded."""

    __slots__ = ("answer", "client", "count", "dead", "fresh", "limited", "query", "tail", "time")

    def __init__(self, query: Query, answer: Answer, dead: float) -> None:
        self.query = query
        self.answer = answer
        self.dead = dead  # monotonic: from here on it is judged anew
        self.fresh = 0.0  # monotonic: until here `tail` has the right TTLs
        self.tail = b""  # the message after its id
        self.client: CacheClient | None = None  # whose repeats are being counted
        self.count = 0
        self.time = 0.0
        self.limited: PacketEntry | None = None  # the same question above a client's rate

    def prepare(self, wire: bytes, now: float) -> None:
        """The message to repeat from now on; its TTLs are right up to the next whole second of the answer's age."""
        stored = self.answer.stored
        self.tail = wire[2:]
        self.fresh = min(self.dead, stored + int(now - stored) + 1) if stored else self.dead


class PacketCache:
    """Entries of one group, in two generations: the older is forgotten when the younger is full.

    A question gets its entry the second time it comes: names that never repeat, as floods of random ones do,
    neither cost the memory nor wash the others out.
    """

    __slots__ = ("find", "older", "seen", "younger")

    def __init__(self) -> None:
        self.seen = bytearray(SEEN)  # one octet of the hash of the last question at each place
        self._renew({})

    def is_known(self, key: bytes) -> bool:
        """Has this question come lately? It is from now on known; one in 255 strangers is taken for known."""
        mixed = hash(key)  # keyed by the interpreter, so nobody can aim at a place
        place, octet = mixed % SEEN, (mixed >> 32) & 255 or 1
        if self.seen[place] == octet:
            return True
        self.seen[place] = octet
        return False

    def _renew(self, older: dict[bytes, PacketEntry]) -> None:
        self.older = older
        self.younger: dict[bytes, PacketEntry] = {}
        self.find = self.younger.get  # bound once: this is asked for every datagram

    def find_older(self, key: bytes) -> PacketEntry | None:
        """An entry of the older generation, made young again."""
        entry = self.older.pop(key, None)
        if entry is not None:
            self.younger[key] = entry
        return entry

    def put(self, key: bytes, entry: PacketEntry) -> None:
        if len(self.younger) >= GENERATION:
            self._renew(self.younger)
        self.younger[key] = entry


class CacheClient:
    """One address that asks here: what the packet cache must know of it."""

    __slots__ = ("ip", "cache", "limited")

    def __init__(self, ip: str, cache: PacketCache, limited: bool) -> None:
        self.ip = ip
        self.cache = cache
        self.limited = limited


class RepeatCounter:
    """Repeats that were answered and are not recorded yet."""

    def __init__(self, repeat: Repeat) -> None:
        self._repeat = repeat
        self._dirty: list[PacketEntry] = []

    def count(self, entry: PacketEntry, client: CacheClient, time: float) -> None:
        """One more repeat; where another client's are being counted, those are recorded first."""
        if entry.client is client:
            entry.count += 1
            return
        if entry.count:
            self._settle(entry)
        else:
            self._dirty.append(entry)
        entry.client = client
        entry.count = 1
        entry.time = time

    def flush(self) -> None:
        """Record everything counted; called once a second and at the end."""
        dirty, self._dirty = self._dirty, []
        for entry in dirty:
            self._settle(entry)
            entry.count = 0
            entry.client = None

    def _settle(self, entry: PacketEntry) -> None:
        assert entry.client is not None, "an entry with repeats has whose they are"
        self._repeat(entry.query, entry.answer, entry.client.ip, entry.time, entry.count)


def is_repeatable(query: Query, answer: Answer, length: int) -> bool:
    """May the same bytes get the same answer again, without being judged?"""
    verdict = answer.verdict
    return (
        length <= 12 + len(query.question) + 11  # at most a bare OPT: options are not repeated
        and length <= LONGEST_KEY
        and answer.status not in _NEVER_REPEATED
        and (not answer.stored or answer.ttl > 0)
        and (verdict is None or verdict.reason != "model_late")
    )


def end_of(answer: Answer, now: float, epoch: float) -> float:
    """Monotonic seconds at which the answer must be judged anew: its TTL, its rule's expiry, REJUDGE."""
    end = min(now + REJUDGE, answer.stored + answer.ttl) if answer.stored else now + REJUDGE
    verdict = answer.verdict
    if verdict is not None and verdict.expires:
        end = min(end, now + verdict.expires - epoch)
    return end
