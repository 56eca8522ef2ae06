"""The command line's way to the hub."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from namewarden.events.batch import from_events
from namewarden.hub.client import HubClient, HubError
from tests.events.samples import NOON, blocked, event
from tests.hub.made import services
from tests.hub.test_server import serving


async def ask(folder: Path, question: Callable[[HubClient], Any], **client: str) -> Any:
    """With ten thousand and one events in the store."""
    path = folder / "hub.sock"
    async with services(folder) as parts, serving(parts, path) as url:
        rows = [event(time=NOON + n / 1e4) for n in range(2500)] + [
            blocked("bad.example.net.", time=NOON + 9)
        ]
        parts.event_log.append(from_events("r", 1, "resolver", rows))
        if client:
            client = {"url": url, "token": parts.auth.new_token("t", client["role"], 0.0)[0]}  # type: ignore[arg-type]

        def run() -> Any:
            with HubClient(path, **client) as hub:
                return question(hub)

        return await asyncio.to_thread(run)


async def test_every_match_over_pages(tmp_path: Path) -> None:
    found = await ask(tmp_path, lambda hub: list(hub.queries({"since": "10m", "name": ""})))
    assert len(found) == 2501
    assert found[0]["name"] == "bad.example.net."


async def test_as_many_as_asked_for(tmp_path: Path) -> None:
    found = await ask(tmp_path, lambda hub: list(hub.queries({}, 1500)))
    assert len(found) == 1500


async def test_exports(tmp_path: Path) -> None:
    def both(hub: HubClient) -> tuple[bytes, bytes]:
        return (
            b"".join(hub.export({"action": "block"}, "csv")),
            b"".join(hub.export({}, "jsonl", 7)),
        )

    table, lines = await ask(tmp_path, both)
    assert [row["name"] for row in csv.DictReader(io.StringIO(table.decode()))] == [
        "bad.example.net."
    ]
    assert len([json.loads(line) for line in lines.splitlines()]) == 7


async def test_decisions(tmp_path: Path) -> None:
    def decide(hub: HubClient) -> tuple[Any, ...]:
        return (
            hub.decide("Good.Example.org", "benign", "1d", "asked for"),
            hub.decide("bad.example.net.", "malicious", match="both"),
            hub.decisions(),
            hub.undo("GOOD.example.org"),
            hub.decisions(),
        )

    good, bad, kept, _, left = await ask(tmp_path, decide)
    assert (good["name"], good["verdict"], good["expires"]) == (
        "good.example.org.",
        "benign",
        NOON + 86_400,
    )
    assert (bad["verdict"], bad["expires"], bad["match"]) == ("malicious", 0.0, "both")
    assert [each["name"] for each in kept] == ["bad.example.net.", "good.example.org."]
    assert [each["name"] for each in left] == ["bad.example.net."]


async def test_waiting_for_what_nobody_compiles_ends_and_says_so(tmp_path: Path) -> None:
    assert "still being compiled" in await ask(tmp_path, lambda hub: hub.until_in_force(0.3))


async def test_health(tmp_path: Path) -> None:
    found = await ask(tmp_path, lambda hub: hub.health())
    assert found["ready"] is False
    assert found["parts"] == {"store": "ok", "snapshot": "no snapshot yet"}


async def test_from_elsewhere_with_a_token(tmp_path: Path) -> None:
    assert len(await ask(tmp_path, lambda hub: list(hub.queries({}, 3)), role="viewer")) == 3
    with pytest.raises(HubError, match="needs the role analyst"):
        await ask(tmp_path, lambda hub: hub.decide("a.example.org", "benign"), role="viewer")
    with pytest.raises(HubError, match="source"):
        await ask(tmp_path, lambda hub: list(hub.export({}, "csv")), role="source")


async def test_no_is_said_in_words(tmp_path: Path) -> None:
    for name in ("not a name", "", ".", "..", "https://example.org", "../users"):
        with pytest.raises(HubError, match="is no domain name"):
            await ask(tmp_path, lambda hub, name=name: hub.decide(name, "benign"))  # type: ignore[misc]
    with pytest.raises(HubError, match="nothing was decided about"):
        await ask(tmp_path, lambda hub: hub.undo("a.example.org"))
    with pytest.raises(HubError, match="not a duration"):
        await ask(tmp_path, lambda hub: hub.decide("a.example.org", "malicious", "soon"))
    with pytest.raises(HubError, match="no hub runs here"):
        HubClient(tmp_path / "nobody")
