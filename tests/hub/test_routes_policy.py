"""Lists and groups over HTTP: the settings' own are fixed, files stay within their folder."""

from pathlib import Path

import pytest

from namewarden.hub.api import build
from namewarden.policy.spec import ListSpec
from tests.hub.made import at_socket, services


async def test_lists_are_shown_with_what_became_of_their_lines(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("# comment\nbad.example.net\n!!! ???\n")
    lists = [
        ListSpec("good", str(tmp_path / "good.txt")),
        ListSpec("gone", str(tmp_path / "gone.txt")),
    ]
    async with services(tmp_path, lists=lists) as parts, at_socket(build(parts)) as client:
        before = (await client.get("/api/v1/lists")).json()["lists"]
        assert [entry["compiled"] for entry in before] == [False, False]
        await parts.publisher.publish()
        good, gone = (await client.get("/api/v1/lists")).json()["lists"]
    assert (good["source"], good["rules"], good["error"]) == ("settings", 1, "")
    assert sum(good["skipped"].values()) >= 1
    assert "No such file" in gone["error"]
    assert str(tmp_path) not in str(good["file"])


async def test_a_list_is_added_changed_and_removed(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        (tmp_path / "lists" / "mine.txt").write_text("bad.example.net\n")
        made = await client.put("/api/v1/lists/mine", json={"file": "mine.txt", "version": 0})
        assert made.status_code == 200, made.text
        assert (
            await client.put("/api/v1/lists/mine", json={"file": "mine.txt", "version": 0})
        ).status_code == 409
        await parts.publisher.publish()
        (shown,) = (await client.get("/api/v1/lists")).json()["lists"]
        assert (shown["name"], shown["source"], shown["rules"], shown["version"]) == (
            "mine",
            "api",
            1,
            made.json()["version"],
        )
        assert (await client.delete("/api/v1/lists/mine")).status_code == 200
        assert (await client.delete("/api/v1/lists/mine")).status_code == 404


@pytest.mark.parametrize("file", ["../secret", "/etc/passwd", "none.txt", "link", ".", "a\u0000b"])
async def test_only_files_of_the_folder_can_be_lists(tmp_path: Path, file: str) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        (tmp_path / "lists" / "link").symlink_to(tmp_path / "secret")
        answer = await client.put("/api/v1/lists/x", json={"file": file})
        assert answer.status_code == 422, answer.text


async def test_what_the_settings_say_is_not_changed_here(tmp_path: Path) -> None:
    async with (
        services(tmp_path, lists=[ListSpec("fixed", "/x")]) as parts,
        at_socket(build(parts)) as client,
    ):
        for method, path in (
            ("PUT", "/lists/fixed"),
            ("DELETE", "/lists/fixed"),
            ("DELETE", "/groups/default"),
        ):
            answer = await client.request(method, f"/api/v1{path}", json={"file": "x"})
            assert answer.status_code == 409 and "settings" in answer.json()["detail"]
        answer = await client.put("/api/v1/groups/default", json={"clients": []})
        assert answer.status_code == 409


async def test_groups(tmp_path: Path) -> None:
    async with (
        services(tmp_path, lists=[ListSpec("malware", "/x")]) as parts,
        at_socket(build(parts)) as client,
    ):
        body = {"clients": ["192.0.2.0/24"], "lists": ["malware"], "mode": "shadow", "ttl": 60}
        made = await client.put("/api/v1/groups/children", json=body)
        assert made.status_code == 200, made.text
        assert made.json()["clients"] == ["192.0.2.0/24"]
        groups = (await client.get("/api/v1/groups")).json()["groups"]
        assert [(g["name"], g["mode"], g["source"]) for g in groups] == [
            ("default", "enforce", "settings"), ("children", "shadow", "api"),
        ]  # fmt: skip
        spec = parts.publisher.spec().groups[1]
        assert (spec.name, spec.ttl, spec.block, spec.lists) == (
            "children",
            60,
            "null",
            ("malware",),
        )
        missing = await client.put("/api/v1/groups/x", json={"clients": [], "lists": ["nowhere"]})
        assert (
            missing.status_code == 422
            and "nowhere not there (lists: malware)" in missing.json()["detail"]
        )
        assert (
            await client.put("/api/v1/groups/x", json={"clients": ["nonsense"]})
        ).status_code == 422
        for body_of_x in ({"block": "tcp-only"}, {"block": "data"}, {"block": "ip"}):
            wrong = await client.put("/api/v1/groups/x", json={"clients": [], **body_of_x})
            assert wrong.status_code == 422 and "block: mode" in wrong.json()["detail"]
        stale = await client.put("/api/v1/groups/children", json=body, headers={"If-Match": '"1"'})
        assert stale.status_code in (200, 409)
        assert (await client.delete("/api/v1/groups/children")).status_code == 200
        assert (await client.delete("/api/v1/groups/children")).status_code == 404


async def test_an_address_is_in_one_group(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        first = {"clients": ["192.0.2.1", "192.0.2.0/24"]}
        assert (await client.put("/api/v1/groups/first", json=first)).status_code == 200
        assert (await client.put("/api/v1/groups/first", json=first)).status_code == 200
        for clients, said in (
            (["::ffff:192.0.2.1/128"], "'192.0.2.1/32' is in the group 'first'"),
            (["198.51.100.7", "198.51.100.7/32"], "is there twice"),
        ):
            wrong = await client.put("/api/v1/groups/second", json={"clients": clients})
            assert wrong.status_code == 422 and said in wrong.json()["detail"]


async def test_a_group_asks_for_services_and_safe_search(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        there = (await client.get("/api/v1/services")).json()
        assert {"youtube", "tiktok"} <= {each["name"] for each in there["services"]}
        google = next(each for each in there["safe_search"] if each["name"] == "google")
        assert google["names"] > 190 and google["sources"][0].startswith("https://")
        wanted = {"clients": ["192.0.2.0/24"], "services": ["tiktok"], "safe_search": ["bing"]}
        made = await client.put("/api/v1/groups/kids", json=wanted)
        assert made.status_code == 200, made.text
        await parts.publisher.publish()
        shown = (await client.get("/api/v1/lists")).json()["lists"]
        assert [(each["name"], each["source"], each["error"]) for each in shown] == [
            ("service:tiktok", "services", ""),
            ("safe-search:bing", "services", ""),
        ]
        assert all(each["rules"] for each in shown)
        (kids,) = [
            g for g in (await client.get("/api/v1/groups")).json()["groups"] if g["name"] == "kids"
        ]
        assert (kids["services"], kids["safe_search"]) == (["tiktok"], ["bing"])
        for wrong, near in (
            ({"services": ["tictok"]}, "tiktok"),
            ({"safe_search": ["bin"]}, "bing"),
        ):
            answer = await client.put("/api/v1/groups/kids", json={"clients": [], **wrong})
            assert answer.status_code == 422 and f"near: {near}" in answer.text
