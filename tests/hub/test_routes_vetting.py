"""Rules and decisions over HTTP: canonical names, versions, ends."""

from dataclasses import replace
from pathlib import Path

import pytest

from namewarden.hub.api import build
from namewarden.policy.rules import load
from tests.events.samples import NOON
from tests.hub.made import Clock, at_socket, services


async def test_a_name_is_vetted_for_a_time(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock) as parts, at_socket(build(parts)) as client:
        body = {"verdict": "malicious", "reason": "seen in a campaign", "expires_in": "1d"}
        made = await client.put("/api/v1/decisions/Bad.Example.NET", json=body)
        assert made.status_code == 200, made.text
        kept = (await client.get("/api/v1/decisions/bad.example.net.")).json()
        assert (kept["name"], kept["by"], kept["expires"]) == (
            "bad.example.net.",
            "local administrator",
            NOON + 86_400,
        )
        (rule,) = parts.publisher.overlay.rules()
        assert (rule.name, rule.effect, rule.expires) == ("bad.example.net.", "deny", NOON + 86_400)
        clock.now += 86_401
        assert (await client.get("/api/v1/decisions/bad.example.net")).status_code == 404
        assert parts.publisher.overlay.rules() == []


async def test_two_who_decide_at_once_do_not_overwrite_each_other(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        path, benign = "/api/v1/decisions/a.example.org", {"verdict": "benign"}
        first = (await client.put(path, json={**benign, "version": 0})).json()["version"]
        assert (await client.put(path, json={**benign, "version": 0})).status_code == 409
        second = await client.put(path, json=benign, headers={"If-Match": f'"{first}"'})
        assert second.status_code == 200
        lost = await client.put(
            path, json={"verdict": "malicious"}, headers={"If-Match": f'"{first}"'}
        )
        assert lost.status_code == 409 and "changed meanwhile" in lost.json()["detail"]
        assert (await client.delete(path, headers={"If-Match": f'"{first}"'})).status_code == 409
        assert (await client.delete(path)).status_code == 200
        assert (await client.delete(path)).status_code == 404


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("not a name", {"verdict": "benign"}, "no domain name"),
        ("192.0.2.1", {"verdict": "benign"}, "no domain name"),
        ("a.example.org", {"verdict": "maybe"}, "verdict"),
        ("a.example.org", {"verdict": "benign", "expires": 5}, "past"),
        ("a.example.org", {"verdict": "benign", "expires_in": "soon"}, "duration"),
        ("a.example.org", {"verdict": "benign", "expires_in": "9999999d"}, "the longest is 3650d"),
        ("a.example.org", {"verdict": "benign", "expires": 1e300}, "the longest is 3650d"),
        ("a.example.org", {"verdict": "benign", "expires": 9e9, "expires_in": "1d"}, "give one"),
        ("a.example.org", {"verdict": "benign", "reason": "two\nlines"}, "reason"),
        ("a.example.org", {"verdict": "benign", "reason": "\x9b2Jgone"}, "reason"),
        ("a.example.org", {"verdict": "benign", "colour": "red"}, "colour"),
        ("a.example.org", {"verdict": "benign", "expires": float("inf")}, "expires"),
    ],
)
async def test_what_cannot_be_decided(
    tmp_path: Path, name: str, body: dict[str, object], words: str
) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        if body.get("expires") == float("inf"):
            text, headers = (
                '{"verdict": "benign", "expires": Infinity}',
                {"Content-Type": "application/json"},
            )
            answer = await client.put(f"/api/v1/decisions/{name}", content=text, headers=headers)
        else:
            answer = await client.put(f"/api/v1/decisions/{name}", json=body)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]


async def test_rules(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        made = await client.post(
            "/api/v1/rules", json={"name": "Example.NET", "effect": "deny", "match": "both"}
        )
        assert made.status_code == 201, made.text
        id = made.json()["id"]
        pattern = {"name": r"^ads\d+\.", "effect": "deny", "match": "pattern"}
        assert (
            await client.put(f"/api/v1/rules/{id}", json={**pattern, "version": 1 << 40})
        ).status_code == 409
        assert (await client.put(f"/api/v1/rules/{id}", json=pattern)).status_code == 200
        assert [rule["name"] for rule in (await client.get("/api/v1/rules")).json()["rules"]] == [
            r"^ads\d+\."
        ]
        for bad in ("(", "", "a" * 1101, ".*"):
            answer = await client.post("/api/v1/rules", json={**pattern, "name": bad})
            assert answer.status_code == 422
        assert (await client.put("/api/v1/rules/decision", json=pattern)).status_code == 422
        assert (await client.delete(f"/api/v1/rules/{id}")).status_code == 200
        assert (await client.delete(f"/api/v1/rules/{id}")).status_code == 404


async def test_what_the_api_answers_is_published(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        overlay = parts.publisher.overlay

        def published() -> list[str]:
            secret = (tmp_path / "secret").read_bytes()
            return [rule.name for rule in load(tmp_path / "snapshots" / "overlay", secret)]

        body = {"verdict": "malicious"}
        for name in ("a.example.org", "b.example.org"):
            assert (await client.put(f"/api/v1/decisions/{name}", json=body)).status_code == 200
        assert published() == ["a.example.org.", "b.example.org."] and not overlay.is_pending
        assert (await client.delete("/api/v1/decisions/a.example.org")).status_code == 200
        made = await client.post("/api/v1/rules", json={"name": "c.example.org", "effect": "deny"})
        assert published() == ["b.example.org.", "c.example.org."]
        assert (await client.delete(f"/api/v1/rules/{made.json()['id']}")).status_code == 200
        assert published() == ["b.example.org."]


async def test_there_is_a_most(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, at_socket(build(parts)) as client:
        rule = {"name": "a.example.org", "effect": "deny"}
        for _ in range(3):
            assert (await client.post("/api/v1/rules", json=rule)).status_code == 201
        parts.publisher.overlay.limit = 3
        refused = await client.post("/api/v1/rules", json=rule)
        assert refused.status_code == 409 and "which is the most" in refused.json()["detail"]
        (first, *_) = (await client.get("/api/v1/rules")).json()["rules"]
        again = await client.put(f"/api/v1/rules/{first['id']}", json=rule)
        assert again.status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "is_alone"),
    [
        ("/decisions/mine.test", {"verdict": "benign"}, True),
        ("/decisions/mine.test", {"verdict": "benign", "match": "both"}, False),
        ("/rules/r1", {"name": "Mine.test", "effect": "allow", "match": "below"}, False),
    ],
)
async def test_what_would_change_nothing_is_refused_and_says_why(tmp_path, path, body, is_alone):
    def refusal(name: str, alone: bool) -> str:
        return "it is ours" if (name, alone) == ("mine.test.", is_alone) else ""

    async with (
        services(tmp_path) as parts,
        at_socket(build(replace(parts, refusal=refusal))) as client,
    ):
        said = await client.put(f"/api/v1{path}", json=body)
        assert said.status_code == 422
        assert said.json()["detail"] == "name: it is ours: to allow it changes nothing"
        body |= {"effect": "deny"} if "effect" in body else {"verdict": "malicious"}
        said = await client.put(f"/api/v1{path}", json=body)
        assert (said.status_code, said.json()["detail"]) == (
            422,
            "name: it is ours: to deny it changes nothing",
        )
