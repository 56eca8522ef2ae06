"""Alive, ready, measured."""

from pathlib import Path

from msgspec.structs import replace

from namewarden.events.batch import from_events
from namewarden.hub.api import build
from namewarden.hub.pauses import pause_id, pause_rule
from namewarden.policy.spec import ListSpec
from namewarden.query import UpstreamState
from tests.events.samples import NOON, event
from tests.hub.made import Clock, at_socket, http, services


async def test_ready_says_what_is_not(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("bad.example.net\n")
    async with services(tmp_path, lists=[ListSpec("l", str(tmp_path / "l"))]) as parts:
        async with http(build(parts)) as client:
            early = await client.get("/api/v1/ready")
            assert (early.status_code, early.json()["parts"]["snapshot"]) == (
                503,
                "no snapshot yet",
            )
            await parts.publisher.publish()
            assert (await client.get("/api/v1/ready")).json() == {
                "ready": True, "parts": {"store": "ok", "snapshot": "ok"}, "notes": [],
            }  # fmt: skip
            parts.publisher.problem = "x"
            late = await client.get("/api/v1/ready")
            assert late.status_code == 200 and "could not be compiled" in late.json()["notes"][0]
            parts.publisher.problem, parts.publisher.guard_problem = "", "no room at /x"
            assert (await client.get("/api/v1/ready")).json()["notes"] == [
                "the guard list could not be written"
            ]
            parts.ingest.problem = "disk full"
            full = await client.get("/api/v1/ready")
            assert full.status_code == 503 and "store" in full.json()["parts"]
            assert "disk full" not in full.text


async def test_metrics_and_status_tell_of_sources_and_lists(tmp_path: Path) -> None:
    (tmp_path / "l").write_text("bad.example.net\nworse.example.net\n")
    async with services(tmp_path, lists=[ListSpec("l", str(tmp_path / "l"))]) as parts:
        await parts.publisher.publish()
        batch = replace(
            from_events("r", 1, "resolver", [event()]),
            counters={"tcp_slow": 3},
            gauges={"load": 0.5},
        )
        parts.reporters.take(batch)
        parts.metrics.take(batch)
        async with at_socket(build(parts)) as client:
            text = (await client.get("/api/v1/metrics")).text
            status = (await client.get("/api/v1/status")).json()
    for line in (
        'namewarden_build_info{version="9.9"} 1.0',
        'namewarden_dns_responses_total{rcode="NOERROR",reason="none",source="resolver"} 1.0',
        'namewarden_dns_request_duration_seconds_bucket{le="0.0025",source="resolver"} 1.0',
        'namewarden_source_tcp_slow_total{source="resolver"} 3.0',
        'namewarden_source_load{source="resolver"} 0.5',
        "namewarden_list_rules 2.0",
        "namewarden_snapshot_generation 1.0",
    ):
        assert line in text.splitlines()
    assert status["sources"][0]["counters"] == {"tcp_slow": 3}
    assert status["problems"] == []


async def test_a_dead_upstream_and_a_list_that_is_gone_are_notes_and_told_in_full(
    tmp_path: Path,
) -> None:
    states = [
        UpstreamState("192.0.2.1:53", "udp", True, 0.0, 1.0, 3, 3, "timeout"),
        UpstreamState("192.0.2.2:53", "udp", False, 0.02, 1.0, 3),
    ]
    async with services(tmp_path, lists=[ListSpec("l", str(tmp_path / "gone"))]) as parts:
        await parts.publisher.publish()
        parts.reporters.take(replace(from_events("r", 1, "resolver", []), upstreams=states))
        async with http(build(parts)) as client:
            ready = await client.get("/api/v1/ready")
        async with at_socket(build(parts)) as client:
            status = (await client.get("/api/v1/status")).json()
    assert ready.status_code == 200
    assert ready.json()["notes"] == ["a list cannot be read", "1 of 2 upstreams is down"]
    assert "192.0.2" not in ready.text and "gone" not in ready.text
    about_list, about_upstream = status["problems"]
    assert about_list.startswith("list 'l' ") and about_list.endswith("none of it is in force")
    assert about_upstream == "upstream 192.0.2.1:53 (udp) is down: timeout"
    assert [each["state"] for each in status["upstreams"]] == ["down", "up"]
    assert status["upstreams"][1]["latency"] == 0.02


async def test_a_pause_is_told_while_it_lasts(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock) as parts, at_socket(build(parts)) as client:
        for group in ("", "kids"):
            path = f"/api/v1/rules/{pause_id(group)}"
            assert (await client.put(path, json=pause_rule(group, "1h"))).status_code == 200
        status = (await client.get("/api/v1/status")).json()
        clock.now += 3601
        later = (await client.get("/api/v1/status")).json()
    end = NOON + 3600
    assert status["pauses"] == [{"group": "", "expires": end}, {"group": "kids", "expires": end}]
    assert [text.partition(" until ")[0] for text in status["problems"]] == [
        "paused for all",
        "paused for group kids",
    ]
    assert (later["pauses"], later["problems"]) == ([], [])
