"""What Prometheus reads, made of the batches as they come in. Every label has few values, whoever asks what:
never a name, a client or a rule (a crafted query must not fill the page).
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from namewarden.events.batch import FACT, Batch, numbers
from namewarden.hub.reporters import Reporters
from namewarden.hub.upstreams import Upstream
from namewarden.query import Action, Reason, Status

BUCKETS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
TYPES = {
    "A",
    "AAAA",
    "HTTPS",
    "SVCB",
    "PTR",
    "MX",
    "TXT",
    "SRV",
    "NS",
    "SOA",
    "CNAME",
    "DS",
    "DNSKEY",
    "ANY",
}
RCODES = {"", "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}
TRANSPORTS = {"udp", "tcp", "tls", "https", "api"}
SOURCES = {"resolver", "coredns", "sensor"}
_AT = {name: place for place, name in enumerate(FACT)}
_KNOWN: dict[str, frozenset[str]] = {
    "qtype": frozenset(TYPES),
    "rcode": frozenset(RCODES),
    "transport": frozenset(TRANSPORTS),
    "source": frozenset(SOURCES),
    "action": frozenset(get_args(Action)),
    "reason": frozenset(get_args(Reason)),
    "status": frozenset(get_args(Status)),
}


class Metrics(Collector):
    """Counts since the hub started. A sink. May be called from any thread."""

    def __init__(self, reporters: Reporters, version: str) -> None:
        self._reporters = reporters
        self._version = version
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, ...], int] = {}
        self._responses: dict[tuple[str, ...], int] = {}
        self._actions: dict[tuple[str, ...], int] = {}
        self._durations: dict[str, tuple[list[int], float]] = {}
        self._gauges: dict[str, tuple[str, float]] = {}
        self._failures: dict[tuple[str, ...], int] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def take(self, batch: Batch) -> None:
        if not batch.rows:
            return
        codes, counts = numbers(batch, "fact").astype(np.intp), numbers(batch, "count")
        queries = np.bincount(codes, weights=counts, minlength=len(batch.facts)).astype(np.int64)
        durations = numbers(batch, "duration")
        places = np.searchsorted(BUCKETS, durations)
        spread = np.bincount(places, weights=counts, minlength=len(BUCKETS) + 1).astype(np.int64)
        total = float((durations * counts).sum())
        with self._lock:
            for fact, number in zip(batch.facts, queries.tolist(), strict=True):
                self._add(fact, number)
            self._spread(_known("source", batch.source), spread.tolist(), total)

    def _add(self, fact: tuple[str, ...], number: int) -> None:
        said = {name: _known(name, fact[_AT[name]]) for name in _KNOWN}
        for table, labels in (
            (self._requests, ("source", "transport", "qtype")),
            (self._responses, ("source", "rcode", "reason")),
            (self._actions, ("source", "action", "status")),
        ):
            key = tuple(said[name] for name in labels)
            table[key] = table.get(key, 0) + number

    def _spread(self, source: str, spread: list[int], total: float) -> None:
        before, sum_before = self._durations.get(source, ([0] * len(spread), 0.0))
        added = [a + b for a, b in zip(before, spread, strict=True)]
        self._durations[source] = added, sum_before + total

    def set(self, name: str, help: str, value: float) -> None:
        """A gauge of the hub itself. The names are ours."""
        with self._lock:
            self._gauges[name] = help, value

    def set_failures(self, failures: Mapping[str, int]) -> None:
        """Of the sinks so far, by their names, which are ours."""
        with self._lock:
            self._failures = {(sink,): count for sink, count in failures.items()}

    def page(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            yield _counter(
                "dns_requests", "Queries asked.", ("source", "transport", "type"), self._requests
            )
            yield _counter(
                "dns_responses", "Queries answered.", ("source", "rcode", "reason"), self._responses
            )
            yield _counter(
                "dns_verdicts", "Queries judged.", ("source", "action", "status"), self._actions
            )
            yield _histogram(self._durations)
            yield _counter(
                "sink_failures", "Batches that a sink did not take.", ("sink",), self._failures
            )
            for name, (help, value) in self._gauges.items():
                yield GaugeMetricFamily(f"namewarden_{name}", help, value)
        build = GaugeMetricFamily("namewarden_build_info", "Version.", labels=("version",))
        build.add_metric((self._version,), 1.0)
        yield build
        yield from self._of_sources()
        yield from _of_upstreams(self._reporters.upstreams())

    def _of_sources(self) -> Iterable[Metric]:
        totals, gauges = self._reporters.totals(), self._reporters.gauges()
        for name in sorted({counter for _, counter in totals}):
            rows: dict[tuple[str, ...], int] = {
                (_known("source", d),): value for (d, n), value in totals.items() if n == name
            }
            yield _counter(f"source_{name}", "As the sources report it.", ("source",), rows)
        for name in sorted({gauge for _, gauge in gauges}):
            metric = GaugeMetricFamily(
                f"namewarden_source_{name}", "As the sources report it.", labels=("source",)
            )
            for (source, word), level in gauges.items():
                if word == name:
                    metric.add_metric((_known("source", source),), level)
            yield metric


def _of_upstreams(upstreams: Sequence[Upstream]) -> Iterable[Metric]:
    """Labels are servers of the configuration: few, and nobody else's words."""
    labels = "server", "transport"
    up = GaugeMetricFamily(
        "namewarden_upstream_up", "1 = it answers, 0 = it is dead.", labels=labels
    )
    latency = GaugeMetricFamily(
        "namewarden_upstream_latency_seconds", "From question to answer, smoothed.", labels=labels
    )
    for each in upstreams:
        if each.state != "unknown":
            up.add_metric((each.server, each.transport), each.state == "up")
        if each.latency is not None:
            latency.add_metric((each.server, each.transport), each.latency)
    yield up
    yield latency
    for name, help in (
        ("queries", "Questions to upstreams that ended."),
        ("failures", "Of these: timeouts, network errors, refusals."),
    ):
        rows: dict[tuple[str, ...], int] = {
            (each.server, each.transport): getattr(each, name) for each in upstreams
        }
        yield _counter(f"upstream_{name}", help, labels, rows)


def _known(label: str, value: str) -> str:
    if label == "rcode" and value == "":
        return "none"
    return value if value in _KNOWN[label] else "other"


def _counter(
    name: str, help: str, labels: tuple[str, ...], rows: dict[tuple[str, ...], int]
) -> Metric:
    metric = CounterMetricFamily(f"namewarden_{name}", help, labels=labels)
    for key, value in rows.items():
        metric.add_metric(key, value)
    return metric


def _histogram(durations: dict[str, tuple[list[int], float]]) -> Metric:
    metric = HistogramMetricFamily(
        "namewarden_dns_request_duration_seconds", "From arrival to answer.", labels=("source",)
    )
    bounds = [str(bound) for bound in BUCKETS] + ["+Inf"]
    for source, (spread, total) in durations.items():
        running = np.cumsum(spread).tolist()
        metric.add_metric((source,), list(zip(bounds, running, strict=True)), total)
    return metric
