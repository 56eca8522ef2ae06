"""Batches in, queries and sums out, over HTTP."""

import csv
import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from namewarden.events.batch import from_events, to_wire
from namewarden.hub.api import build
from tests.events.samples import NOON, blocked, event
from tests.hub.made import at_socket, services, with_token

ROWS = [event(time=NOON + n, name=f"n{n}.example.org.", count=n + 1) for n in range(5)]
ROWS.append(blocked("bad.example.net.", time=NOON + 9, client="192.0.2.66"))


async def test_a_source_hands_in_and_a_repeated_batch_is_acknowledged(tmp_path: Path) -> None:
    body = to_wire(from_events("r", 1, "coredns", ROWS))
    async with services(tmp_path) as parts, with_token(build(parts), parts, "source") as client:
        first = (await client.post("/api/v1/events", content=body)).json()
        again = (await client.post("/api/v1/events", content=body)).json()
        assert (first["rows"], again["rows"], again["repeated"]) == (6, 0, 6)
        assert b'type="A"} 16.0' in parts.metrics.page()
        assert (await client.post("/api/v1/events", content=b"junk")).status_code == 400


async def test_a_store_that_cannot_take_it_says_later(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        parts.event_log.stop()
        answer = await client.post(
            "/api/v1/events", content=to_wire(from_events("r", 1, "x", ROWS))
        )
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"


async def test_queries_page_by_page(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        parts.event_log.append(from_events("r", 1, "resolver", ROWS))
        seen, cursor = [], ""
        while True:
            page = (
                await client.get("/api/v1/queries", params={"limit": 4, "cursor": cursor})
            ).json()
            seen += [row["name"] for row in page["queries"]]
            cursor = page["cursor"]
            if not cursor:
                break
        assert seen == [row.name for row in reversed(ROWS)]
        for params, number in (
            ({"name": "*.example.org"}, 5), ({"action": "block"}, 1), ({"qtype": "a"}, 6), ({"qtype": "type1"}, 6),
            ({"since": "2100-01-01"}, 0), ({"client": "192.0.2.66"}, 1), ({"name": "' OR 1=1"}, 0),
        ):  # fmt: skip
            found = await client.get("/api/v1/queries", params=params)
            assert len(found.json()["queries"]) == number, params


@pytest.mark.parametrize("qtype", ["AAAAA", "TYPE", "TYPE70000", "TYPE-1", "1", "é"])
async def test_an_unknown_type_is_an_error_and_no_empty_answer(tmp_path: Path, qtype: str) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        for path in ("/api/v1/queries", "/api/v1/queries/export"):
            answer = await client.get(path, params={"qtype": qtype})
            assert answer.status_code == 422 and "no query type" in answer.json()["detail"]


async def test_exports_are_files(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        parts.event_log.append(from_events("r", 1, "resolver", ROWS))
        table = await client.get("/api/v1/queries/export", params={"format": "csv"})
        lines = await client.get("/api/v1/queries/export", params={"limit": 2})
        wrong = await client.get("/api/v1/queries/export", params={"name": "a*b.example.org"})
        assert wrong.status_code == 422 and "star" in wrong.json()["detail"]
        assert table.headers["content-type"].startswith("text/csv")
        assert 'filename="queries.csv"' in table.headers["content-disposition"]
        assert len(list(csv.reader(io.StringIO(table.text, newline="")))) == 7
        assert [json.loads(line)["count"] for line in lines.text.splitlines()] == [1, 5]


async def test_statistics(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        batch = replace(from_events("r", 1, "resolver", ROWS), dropped_events=2, dropped_queries=4)
        parts.event_log.append(batch)
        total = (await client.get("/api/v1/statistics")).json()
        assert (total["queries"], total["by_action"], total["dropped_queries"]) == (
            16,
            {"allow": 15, "block": 1},
            4,
        )
        blocked_names = await client.get("/api/v1/statistics/top", params={"of": "blocked"})
        assert blocked_names.json()["top"] == [{"name": "bad.example.net.", "queries": 1}]
        clients = await client.get("/api/v1/statistics/top", params={"of": "clients", "limit": 1})
        assert clients.json()["top"] == [{"client": "192.0.2.7", "queries": 15}]
