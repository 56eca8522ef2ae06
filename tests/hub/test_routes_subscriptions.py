"""Lists by URL over HTTP: they are asked for now, and no password is shown."""

import asyncio
import re
from pathlib import Path
from typing import Any

from namewarden.hub.api import build
from namewarden.hub.subscriptions import store
from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.store import Asked, Fetched, Subscription
from namewarden.policy.spec import ListSpec
from tests.hub.made import at_socket, services, until

URL = "https://me:s3cret@lists.example.org/ads.txt?token=s3cret"


async def test_a_list_by_url_is_added_changed_and_removed(tmp_path: Path) -> None:
    server = Server()
    async with services(tmp_path, fetch=server.fetch) as parts, at_socket(build(parts)) as client:
        running = asyncio.ensure_future(parts.subscriptions.run())
        await asyncio.sleep(0)
        body = {"url": URL, "allow_private": True}
        made = await client.put("/api/v1/lists/ads", json=body)
        assert made.status_code == 200, made.text
        await until(lambda: (each := parts.subscriptions.of("ads")) and each.copy)
        await parts.publisher.publish()
        shown = await client.get("/api/v1/lists")
        (ads,) = shown.json()["lists"]
        assert (ads["rules"], ads["source"], ads["subscription"]["outcome"]) == (
            1,
            "api",
            "changed",
        )
        assert "s3cret" not in shown.text + (await client.get("/api/v1/audit")).text
        for wrong in ({"url": "ftp://x/"}, {"url": "http://x y"}, {}, {"url": URL, "file": "x"}):
            answer = await client.put("/api/v1/lists/ads", json=wrong)
            assert answer.status_code == 422, wrong
        assert (await client.delete("/api/v1/lists/ads")).status_code == 200
        await until(lambda: not list((tmp_path / "subscriptions").iterdir()))
        running.cancel()


class Server:
    text: str | None = "bad.example.net\n"

    async def fetch(self, asked: Asked, part: Path, told: Any) -> Fetched | None:
        if self.text is None:
            raise DownloadError("the server says 500")
        await asyncio.to_thread(part.write_text, self.text)
        return Fetched('"1"', "", self.text, len(self.text))


async def test_refreshing_says_what_became_of_each(tmp_path: Path) -> None:
    server = Server()
    (tmp_path / "own.txt").write_text("own.example.net\n")
    lists = [
        ListSpec("ads", str(store.path_of(tmp_path / "subscriptions", "ads"))),
        ListSpec("own", str(tmp_path / "own.txt")),
    ]
    async with (
        services(tmp_path, lists=lists, wanted=[Subscription("ads", URL)], fetch=server.fetch) as parts,
        at_socket(build(parts)) as client,
    ):  # fmt: skip
        running = asyncio.ensure_future(parts.subscriptions.run())
        await parts.subscriptions.first(5.0)
        outcomes = []
        for text in ("worse.example.net\n", "worse.example.net\n", None):
            server.text = text
            answer = await client.post("/api/v1/lists/refresh", json={"wait": 5})
            ads, own = answer.json()["lists"]
            outcomes.append(ads["subscription"]["outcome"])
            assert (own["url"], own["subscription"]) == ("", None)
        assert outcomes == ["changed", "unchanged", "failed"]
        assert parts.publisher.is_pending  # files are looked at
        await parts.publisher.publish()
        shown = await client.get("/api/v1/lists")
        ads, own = shown.json()["lists"]
        assert ads["url"] == "https://***@lists.example.org/ads.txt?***"
        assert (ads["error"], ads["stale"], ads["rules"]) == (
            "cannot be downloaded: the server says 500",
            True,
            1,
        )
        assert (own["error"], own["rules"]) == ("", 1)
        script = (await client.get("/pages/status.js")).text
        read = set(re.findall(r"\bdownload\.(\w+)", script))
        assert read and read <= set(ads["subscription"])
        missing = await client.post("/api/v1/lists/refresh", json={"lists": ["nowhere"]})
        assert missing.status_code == 422 and "nowhere not there (lists: ads, own)" in missing.text
        texts = [
            answer.text,
            shown.text,
            (await client.get("/api/v1/status")).text,
            (await client.get("/api/v1/audit")).text,
        ]
        assert all("s3cret" not in text for text in texts)
        running.cancel()


async def test_lists_of_the_package_are_not_among_those_to_refresh(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("own.example.net\n")
    lists = [ListSpec(name, str(tmp_path / "own.txt")) for name in ("own", "service:youtube")]
    async with services(tmp_path, lists=lists) as parts, at_socket(build(parts)) as client:
        answer = await client.post("/api/v1/lists/refresh", json={})
        assert [each["name"] for each in answer.json()["lists"]] == ["own"]
