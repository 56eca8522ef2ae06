"""What Prometheus reads has few lines, whatever is asked."""

from msgspec.structs import replace

from namewarden.events.batch import from_events
from namewarden.hub.metrics import Metrics
from namewarden.hub.reporters import Reporters
from namewarden.query import UpstreamState
from tests.events.samples import event
from tests.hub.made import Clock


def page(*rows: object) -> str:
    metrics = Metrics(Reporters(Clock()), "1.0")
    metrics.take(from_events("r", 1, "resolver", list(rows)))  # type: ignore[arg-type]
    return metrics.page().decode()


def test_counts_are_of_queries_not_of_rows() -> None:
    text = page(event(count=3, duration=0.3), event(count=2, duration=0.0001))
    assert (
        'namewarden_dns_verdicts_total{action="allow",source="resolver",status="FORWARDED"} 5.0'
        in text
    )
    assert 'duration_seconds_bucket{le="0.00025",source="resolver"} 2.0' in text
    assert 'duration_seconds_bucket{le="+Inf",source="resolver"} 5.0' in text
    assert 'duration_seconds_count{source="resolver"} 5.0' in text


def test_no_client_can_make_a_line() -> None:
    rows = [
        event(name=f"n{n}.", client=f"192.0.2.{n}", qtype=f"TYPE{n}", rcode=f"RCODE{n}", rule=f"r{n}",
              group=f"g{n}", reason=f"made up {n}", transport=f"t{n}", status=f"S{n}", action=f"a{n}", source=f"d{n}")
        for n in range(200)
    ]  # fmt: skip
    lines = [line for line in page(*rows).splitlines() if not line.startswith("#")]
    assert len(lines) < 40
    assert any('type="other"} 200.0' in line for line in lines)


def test_upstreams_have_state_and_latency() -> None:
    reporters = Reporters(Clock())
    states = [
        UpstreamState("192.0.2.1:53", "udp", False, 0.25, 1.0, 9, 2),
        UpstreamState("[2001:db8::1]:53", "tcp", True, 0.0, 1.0, 3, 3, "timeout"),
        UpstreamState("192.0.2.3:53", "udp"),
    ]
    reporters.take(replace(from_events("r", 1, "resolver", []), upstreams=states))
    text = Metrics(reporters, "1.0").page().decode()
    assert [line for line in text.splitlines() if line.startswith("namewarden_upstream")] == [
        'namewarden_upstream_up{server="192.0.2.1:53",transport="udp"} 1.0',
        'namewarden_upstream_up{server="[2001:db8::1]:53",transport="tcp"} 0.0',
        'namewarden_upstream_latency_seconds{server="192.0.2.1:53",transport="udp"} 0.25',
        'namewarden_upstream_queries_total{server="192.0.2.1:53",transport="udp"} 9.0',
        'namewarden_upstream_queries_total{server="192.0.2.3:53",transport="udp"} 0.0',
        'namewarden_upstream_queries_total{server="[2001:db8::1]:53",transport="tcp"} 3.0',
        'namewarden_upstream_failures_total{server="192.0.2.1:53",transport="udp"} 2.0',
        'namewarden_upstream_failures_total{server="192.0.2.3:53",transport="udp"} 0.0',
        'namewarden_upstream_failures_total{server="[2001:db8::1]:53",transport="tcp"} 3.0',
    ]


def test_nothing_is_fine_too() -> None:
    assert "namewarden_build_info" in page()
