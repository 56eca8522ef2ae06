"""How the upstreams do, by what each worker says of them: one line a server, for people and for Prometheus.

Counterparts: `UpstreamState` of `query.py`, which comes with the batches; `reporters.py`, which keeps what came last.
"""

import math
import re
from collections.abc import Iterable, Mapping
from statistics import median

from msgspec import Struct

from namewarden.query import UpstreamState

SERVERS = 64  # of one source, and in all: they become labels
LATELY = 60.0  # seconds; a dead server that is wanted is tried every 30 (`net/upstreams.py`)
TRANSPORTS = frozenset(("udp", "tcp", "tls", "https"))
_SERVER = re.compile(r"[0-9A-Za-z.:%_\[\]-]{1,80}")

Key = tuple[str, str]  # server, transport
Counts = tuple[int, int]  # queries, of these failures


class Upstream(Struct, frozen=True):
    """One server, as all workers together see it."""

    server: str
    transport: str
    state: (
        str  # "up" | "down" (who tried it lately say so with one voice) | "unknown" (nobody tried)
    )
    latency: float | None  # seconds, the median of the workers' averages
    age: float | None  # seconds since it last answered or failed
    problem: str  # why it failed last; "" = it answered
    queries: int  # since the hub started
    failures: int


def sound(states: Iterable[UpstreamState]) -> list[UpstreamState]:
    """Those whose words and numbers may be shown."""
    fine = (s for s in states if s.transport in TRANSPORTS and _SERVER.fullmatch(s.server))
    return [s for s in fine if math.isfinite(s.age) and 0 <= s.latency < math.inf][:SERVERS]


def counts(states: Iterable[UpstreamState]) -> dict[Key, Counts]:
    """By server: one may be asked for several zones."""
    found: dict[Key, Counts] = {}
    for state in states:
        key = state.server, state.transport
        queries, failures = found.get(key, (0, 0))
        found[key] = queries + max(0, state.queries), failures + max(0, state.failures)
    return found


def joined(
    views: Iterable[tuple[float, UpstreamState]], totals: Mapping[Key, Counts], now: float
) -> list[Upstream]:
    """`views`: what was said, and when. A worker that had no query for a server lately has no say in how it is."""
    by_server: dict[Key, list[tuple[float, UpstreamState]]] = {}
    for said, state in views:
        by_server.setdefault((state.server, state.transport), []).append((said - state.age, state))
    return [_one(key, by_server[key], totals.get(key, (0, 0)), now) for key in sorted(by_server)]


def _one(key: Key, views: list[tuple[float, UpstreamState]], total: Counts, now: float) -> Upstream:
    tried = [(at, state) for at, state in views if state.age >= 0]
    if not tried:
        return Upstream(*key, "unknown", None, None, "", *total)
    newest, last = max(tried, key=lambda view: view[0])
    lately = [state for at, state in tried if at >= newest - LATELY]
    latencies = [state.latency for state in lately if state.latency]
    problem = last.problem.encode("ascii", "replace").decode()[:100]
    return Upstream(
        *key,
        "down" if all(state.is_dead for state in lately) else "up",
        median(latencies) if latencies else None,
        max(0.0, now - newest),
        problem if problem.isprintable() else "",
        *total,
    )
