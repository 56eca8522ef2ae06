"""What the packet cache keeps: a prepared message with its event, the entries of a group, what is known of a client.

And what decides about an entry: what it costs, whether an answer may be repeated, and until when.
"""

from namewarden.net.denials import Denials
from namewarden.net.listener import Reaches
from namewarden.query import Answer, Event, Query

OVERHEAD = 900  # octets of an entry beside its key, message and texts, measured in the test
TEXT = 64  # octets of each CNAME and address beside its letters
REJUDGE = 60.0  # seconds after which even an answer without TTL goes down the chain again
LONGEST_KEY = 300  # octets: a question and a bare OPT; anything longer does not come twice
_NEVER_REPEATED = frozenset({"LIMITED", "FAILED", "REFUSED", "CACHE_STALE", "DROPPED"})
INTERNET = 1  # RFC 1035 §3.2.4


class CacheClient:
    """One address that asks here: what the packet cache must know of it."""

    __slots__ = ("denials", "entries", "group", "ip", "is_limited", "shard", "since")

    def __init__(
        self, ip: str, group: str, shard: "Shard", is_limited: bool, denials: Denials | None = None
    ) -> None:
        self.denials = denials
        self.ip = ip
        self.group = group
        self.shard = shard
        self.entries = shard.younger
        self.is_limited = is_limited
        self.since = 0.0  # monotonic: what comes later the C helper looks at first


class PacketEntry:
    """Prepared bytes, how long they are right, and the repeats not yet recorded."""

    __slots__ = (
        "aged", "client", "count", "dead", "event", "fresh", "size", "stored", "tail", "time", "ttls",
    )  # fmt: skip

    def __init__(self, tail: bytes, event: Event, dead: float) -> None:
        self.tail = tail  # the message after its id
        self.event = event  # of one repeat
        self.dead = dead  # monotonic: from here on it is judged anew
        self.fresh = dead  # monotonic: until here `tail` has the right TTLs
        self.stored = 0.0  # monotonic: the TTLs count from here; 0 = they do not count
        self.ttls: tuple[int, ...] = ()  # offsets of the TTLs in `tail`
        self.aged = 0  # whole seconds that are taken off them already
        self.size = 0
        self.client: CacheClient | None = None  # whose repeats are being counted
        self.count = 0
        self.time = 0.0

    def count_down(self, answer: Answer, body: int, now: float) -> None:
        """The TTLs of `answer`, whose body begins at `body` of the tail, go on counting down."""
        self.stored = answer.stored
        self.ttls = tuple(body + offset for offset in answer.ttls)
        self.aged = max(int(now - answer.stored), 0)
        self.fresh = min(self.dead, self.stored + self.aged + 1)

    def renew(self, now: float) -> None:
        """A second of its age has passed: the TTLs of now."""
        passed = int(now - self.stored)
        tail = bytearray(self.tail)
        for at in self.ttls:
            left = int.from_bytes(tail[at : at + 4]) - (passed - self.aged)
            tail[at : at + 4] = max(left, 0).to_bytes(4)
        self.tail = bytes(tail)
        self.aged = passed
        self.fresh = min(self.dead, self.stored + passed + 1)


class Shard:
    """The entries of one group, in two generations: the older is forgotten when the younger is full."""

    __slots__ = ("older", "younger")

    def __init__(self) -> None:
        self.younger: dict[bytes, PacketEntry] = {}
        self.older: dict[bytes, PacketEntry] = {}


def is_reached(entry: PacketEntry, reaches: Reaches) -> bool:
    """The names of the answer's CNAME chain were judged too."""
    return reaches(entry.event.name) or any(map(reaches, entry.event.cnames))


def size_of(key: bytes, entry: PacketEntry) -> int:
    """Octets that the entry costs."""
    event = entry.event
    texts = sum(TEXT + len(text) for text in (*event.cnames, *event.addresses))
    return OVERHEAD + len(key) + len(entry.tail) + len(event.rule) + texts + 8 * len(entry.ttls)


def is_repeatable(query: Query, answer: Answer, length: int) -> bool:
    """May the same bytes get the same answer again, without being judged?"""
    verdict = answer.verdict
    return (
        length <= 12 + len(query.question) + 11  # at most a bare OPT: options are not repeated
        and length <= LONGEST_KEY
        and query.qclass
        == INTERNET  # of other classes is what our `healthcheck` asks, which leaves no event
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
