"""A real hub on real sockets: a sender's events come out as queries, by the socket and by the network."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from namewarden.events.batch import from_events
from namewarden.events.recorder import Recorder
from namewarden.events.sender import Pace, Sender
from namewarden.hub.api import build
from namewarden.hub.server import PATIENCE, Server
from namewarden.hub.services import Services
from namewarden.process.sockets import bind_unix
from tests.events.list_log import ListLog
from tests.events.samples import NOON, blocked, event
from tests.hub.made import services, until


def bind_tcp() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return listener


@asynccontextmanager
async def serving(parts: Services, path: Path, patience: float = PATIENCE) -> AsyncIterator[str]:
    """The URL of its TCP side."""
    tcp = bind_tcp()
    url = f"http://127.0.0.1:{tcp.getsockname()[1]}"
    server = Server(build(parts), [tcp], bind_unix(path), patience)
    task = asyncio.ensure_future(server.run())
    try:
        await until(lambda: server.started)
        yield url
    finally:
        server.stop()
        await task


def at_unix(path: Path) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def test_the_socket_is_the_administrator_and_the_network_is_nobody(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    async with services(tmp_path) as parts, serving(parts, path) as url:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with at_unix(path) as client:
            who = (await client.get("/api/v1/session")).json()
            assert (who["role"], who["how"]) == ("administrator", "socket")
            assert (await client.get("/api/v1/users")).status_code == 200
        async with httpx.AsyncClient(base_url=url) as client:
            for headers in ({}, {"Host": "localhost"}, {"X-Forwarded-For": "unix"}):
                assert (await client.get("/api/v1/users", headers=headers)).status_code == 401
            assert (await client.get("/api/v1/health")).status_code == 200


async def test_events_of_a_source_are_queries_of_the_hub(tmp_path: Path) -> None:
    path, recorder = tmp_path / "hub.sock", Recorder("resolver", 10_000)
    for n in range(3000):
        recorder.record(event(time=NOON + n / 1000, name=f"n{n}.example.org."))
    recorder.record(blocked("bad.example.net.", time=NOON + 4, count=5))
    async with services(tmp_path) as parts, serving(parts, path), at_unix(path) as client:
        sender = Sender(recorder, path, Pace(rows=1000, flush=0.01))
        async with asyncio.TaskGroup() as group:
            group.create_task(sender.run())
            await until(lambda: recorder.held == 0)
            sender.stop()
        found = (await client.get("/api/v1/queries", params={"action": "block"})).json()["queries"]
        assert [(e["name"], e["count"], e["id"]) for e in found] == [
            ("bad.example.net.", 5, f"{recorder.run}-3000")
        ]
        totals = (await client.get("/api/v1/statistics", params={"since": "1d"})).json()
        assert (totals["queries"], totals["rows"]) == (3005, 3001)
        text = (await client.get("/api/v1/metrics")).text
        line = 'namewarden_dns_requests_total{source="resolver",transport="udp",type="A"} 3005.0'
        assert line in text


async def test_a_hub_that_comes_back_gets_what_waited(tmp_path: Path) -> None:
    path, recorder = tmp_path / "hub.sock", Recorder("resolver", 10_000)
    sender = Sender(recorder, path, Pace(flush=0.01))
    async with asyncio.TaskGroup() as group:
        group.create_task(sender.run())
        for n in range(2):
            async with services(tmp_path) as parts, serving(parts, path), at_unix(path) as client:
                recorder.record(event(name=f"n{n}.example.org."))
                await until(lambda: recorder.held == 0)
                found = (await client.get("/api/v1/queries")).json()["queries"]
                assert len(found) == 2 * n + 1
            recorder.record(event(name="meanwhile.example.org."))
            await until(lambda: sender.problem != "")
        sender.stop(grace=0.1)
    assert sender.rejected_events == 1


async def test_a_file_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    bind_unix(path).close()
    async with services(tmp_path) as parts, serving(parts, path), at_unix(path) as client:
        assert (await client.get("/api/v1/health")).status_code == 200


async def test_a_source_that_goes_in_mid_batch_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "hub.sock"
    begun = b"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\nabc"
    async with services(tmp_path) as parts, serving(parts, path), at_unix(path) as client:
        _, writer = await asyncio.open_unix_connection(str(path))
        writer.write(begun)
        await writer.drain()
        await asyncio.sleep(0.05)  # the hub waits for the rest
        writer.close()
        for _ in range(3):
            assert (await client.get("/api/v1/health")).status_code == 200
    assert not [record for record in caplog.records if record.exc_info]


async def test_who_does_not_come_to_an_end_is_hung_up_on(tmp_path: Path) -> None:
    post = b"POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with services(tmp_path) as parts, serving(parts, tmp_path / "hub.sock", 0.2) as url:
        port = int(url.rpartition(":")[2])
        for begun in (b"", b"GET / HT", post + b"Content-Length: 9\r\n\r\n{"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(begun)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        async with httpx.AsyncClient(base_url=url) as client:
            for _ in range(4):
                assert (await client.get("/api/v1/health")).status_code == 200
                await asyncio.sleep(0.15)


async def test_the_network_side_refuses_h2c_and_websockets(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, serving(parts, tmp_path / "hub.sock") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            for upgrade in ("h2c", "websocket"):
                headers = {
                    "Connection": "Upgrade",
                    "Upgrade": upgrade,
                    "HTTP2-Settings": "AAMAAABk",
                }
                answer = await client.get("/api/v1/users", headers=headers)
                assert answer.status_code == 401


async def test_an_export_that_breaks_off_does_not_end_as_if_it_were_whole(tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    async with services(tmp_path, event_log=ListLog(91, lambda: NOON)) as parts:
        for run in range(3):
            parts.event_log.append(from_events(f"r{run}", 1, "resolver", [event()] * 10_000))
        async with serving(parts, path):
            async with at_unix(path) as client:
                lines = await client.get("/api/v1/queries/export")
                assert len(lines.text.splitlines()) == 30_000
                with pytest.raises(httpx.RemoteProtocolError):
                    async with client.stream("GET", "/api/v1/queries/export") as answer:
                        assert answer.status_code == 200
                        async for _ in answer.aiter_bytes():
                            parts.event_log.stop()
                closed = await client.get("/api/v1/queries/export")
                assert (closed.status_code, closed.headers["retry-after"]) == (503, "2")
