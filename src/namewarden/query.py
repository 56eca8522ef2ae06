"""The nouns of the pipeline: what a query is, what is said about it, what goes back, what is kept.

Frozen values, nothing else. Every other room speaks in these words; this file imports nothing of ours.
A name is a lower-case FQDN with its final dot, hostile octets escaped as in master files (`\\DDD`),
from the moment `wire/` made it. Times called `now` are monotonic seconds; `time` is epoch seconds.
"""

from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

Action = Literal["allow", "flag", "review", "block", "redirect"]
Band = Literal["", "benign", "uncertain", "malicious", "error"]
ModelMode = Literal["off", "shadow", "enforce"]
BlockMode = Literal["null", "nxdomain", "nodata", "refused", "ip", "drop", "tcp-only", "data"]

# Why a verdict was reached: bounded, so it may be a metric label. Rule text never is.
Reason = Literal[
    "none",  # nothing spoke about the name
    "acl",  # the client may not ask here
    "limit",  # the client's prefix asks too fast
    "special",  # special-use name, single label, search-suffix junk, ANY
    "record",  # the operator's own record
    "rule_allow",  # precedence from here: local exact allow …
    "pattern_allow",
    "rule_deny",
    "pattern_deny",
    "list_allow",
    "list_deny",
    "forecast",
    "guard",  # popular or warning-list name: the model may not block it
    "private_suffix",  # customer of a CDN or cloud: at most review
    "unscored",  # not a name the model judges
    "model_off",
    "model_late",  # deadline passed or model broken: fails open, counted
    "model_benign",
    "model_uncertain",
    "model_malicious",
    "cname_deny",  # a name of the CNAME chain or a target of HTTPS or SVCB is denied by a list or rule
    "rebinding",  # a public name has a private address
    "upstream",  # no upstream answered
    "fault",  # our bug: SERVFAIL and a traceback
]

# How the answer came about. Never rename a word: scripts, stores and consoles keep them.
Status = Literal[
    "FORWARDED",
    "CACHE",
    "CACHE_STALE",
    "LOCAL",
    "BLOCKED",
    "BLOCKED_CNAME",
    "REDIRECTED",
    "REFUSED",
    "LIMITED",
    "DROPPED",
    "FAILED",
]


class Verdict(Struct, frozen=True, gc=False):
    """What policy says about one name for one client. Never without a reason."""

    action: Action
    reason: Reason
    rule: str = ""  # "malware:17 ||bad.example^" or "score >= 0.9931"; escaped, for people
    mode: BlockMode | Literal[""] = (
        ""  # how a block or redirect is answered; "" when answered as asked
    )
    addresses: tuple[str, ...] = ()  # of modes ip and redirect: IPv4 and IPv6 text
    records: tuple[tuple[str, int, str], ...] = ()  # of mode data: (type, TTL s, rdata text)
    ttl: int = 10  # seconds the answer may be kept by the client
    expires: float = 0.0  # epoch seconds at which the deciding rule ends; 0 = never
    score: float | None = None  # calibrated probability of malice, None = not scored
    band: Band = ""
    family: str = ""
    model: str = ""  # first 12 hex digits of the model's digest
    shadow: Action | Literal[""] = ""  # what would have been done in mode enforce
    zone: bool = (
        False  # said by a response policy zone: its word is final for what a CNAME leads to
    )
    chosen: bool = False  # said by a service or safe search that the client's group asks for


class Score(Struct, frozen=True, gc=False):
    """What the model says about one label."""

    probability: float  # calibrated, 0..1, full float64
    logit: float
    band: Band
    family: str  # "" while the model knows none
    model: str
    p_value: float = 0.0  # conformal, reported, decides nothing


class Query(Struct, frozen=True, gc=False):
    """One question from one client, as `wire/` read it. Class, type and flags as in RFC 1035, 6891."""

    id: int
    name: str
    qtype: int
    client: str  # IP address text, the socket's, never ECS
    transport: str  # "udp" | "tcp" (later "tls", "https"), "api" at the verdict API
    now: float  # monotonic seconds of its arrival
    question: bytes  # the question section as sent: its 0x20 case goes back
    qclass: int = 1
    rd: bool = True
    ad: bool = False
    cd: bool = False
    do: bool = False
    payload: int = 0  # EDNS UDP size, at least 512; 0 = the query carried no OPT
    group: str = "default"
    allowed: Verdict | None = None  # an allow from above: nothing below judges or screens


class Answer(Struct, frozen=True, gc=False):
    """What goes back, short of its question: one body serves every client that asks the same.

    `body` is all records but OPT, compressed against a message whose question has this query's length,
    so it fits whatever the id and the 0x20 case are. TTLs at the offsets `ttls` count from `stored`.
    """

    rcode: int
    body: bytes = b""
    counts: tuple[int, int, int] = (0, 0, 0)  # answer, authority, additional (without OPT)
    ttls: tuple[int, ...] = ()  # offsets in body of 32-bit TTL fields
    ttl: int = 0  # the least of them, seconds; how long it may be repeated
    stored: float = 0.0  # monotonic seconds at which the TTLs were right
    aa: bool = False
    ad: bool = False
    tc: bool = False
    silent: bool = False  # nothing is sent (mode drop)
    ede: tuple[tuple[int, str], ...] = ()  # RFC 8914 info-codes, texts; only to who sent OPT
    status: Status = "FORWARDED"
    verdict: Verdict | None = None
    upstream: str = ""
    cnames: tuple[str, ...] = ()  # chain in order, without the name asked
    addresses: tuple[str, ...] = ()  # A and AAAA of the answer, hints of HTTPS and SVCB, at most 16
    targets: tuple[str, ...] = ()  # names that HTTPS and SVCB records send the client to


class Event(Struct, frozen=True, gc=False, array_like=True):
    """One query at one source, schema version 1. Field order is the wire's and the store's column order."""

    id: str  # unique: the source's run and a counter
    time: float  # epoch seconds of arrival
    source: str  # "resolver", later "coredns", "sensor"
    client: str
    group: str
    name: str
    qtype: str  # mnemonic, or TYPE123
    transport: str
    status: str
    action: str
    reason: str
    rule: str
    score: float | None
    band: str
    family: str
    model: str
    shadow: str
    upstream: str
    duration: float  # seconds from arrival to answer
    rcode: str  # mnemonic, or RCODE23; "" when nothing was sent
    cnames: tuple[str, ...]
    addresses: tuple[str, ...]
    count: int = 1  # identical repeats folded into this one (same client, question, answer, second)


EVENT_SCHEMA = 1


class UpstreamState(Struct, frozen=True, gc=False):
    """How one upstream has been, as one process sees it: told beside the events."""

    server: str  # address and port, as in `Event.upstream`
    transport: str  # how it is asked: "udp" | "tcp"
    is_dead: bool = False  # failed several times in a row, and not answered since
    latency: float = 0.0  # seconds from question to answer, smoothed; 0 = none came yet
    age: float = -1.0  # seconds since it last answered or failed; -1 = it was not asked yet
    queries: int = 0  # answered or failed, since the process started
    failures: int = 0  # of these: timeouts, network errors, refusals
    problem: str = ""  # why the last one failed; "" = it was answered


# The plug standard: a stage returns an answer, it never writes one.
Handler = Callable[[Query], Awaitable[Answer]]
Stage = Callable[[Query, Handler], Awaitable[Answer]]
