"""Hosts, sizes, other sites, forged origins: each ends before any route."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.hub.api import build
from namewarden.hub.auth import COOKIE
from namewarden.hub.gate import _check_site, _cookie, _host
from tests.hub.made import PASSWORD, http, logged_in, services, user, with_token


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8050", 200), ("[::1]:8050", 200), ("localhost", 200), ("hub.example.org:443", 200),
        ("HUB.EXAMPLE.ORG", 200), ("rebound.example.net", 421), ("", 421), ("127.0.0.1.example.net", 421),
        ("localhost.example.net:8050", 421), ("[::1", 421),
    ],
)  # fmt: skip
async def test_the_hub_answers_to_its_own_names_only(
    tmp_path: Path, host: str, status: int
) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        answer = await client.get("/api/v1/health", headers={"Host": host})
        assert answer.status_code == status


OURS = {"Content-Type": "application/json", "Origin": "http://127.0.0.1:8050"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 200),
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "application/json; charset=utf-8"}, 200),
        ({**OURS, "Sec-Fetch-Site": "same-origin"}, 200),
        ({**OURS, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**OURS, "Sec-Fetch-Site": "same-site"}, 403),
        ({**OURS, "Origin": "http://evil.example.net"}, 403),
        ({**OURS, "Origin": "http://127.0.0.1:9999"}, 403),
        ({**OURS, "Origin": "null"}, 403),
        ({**OURS, "Content-Type": "text/plain"}, 415),
        ({**OURS, "Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "http://127.0.0.1:8050", "Content-Type": ""}, 415),
    ],
)
async def test_a_session_changes_things_from_our_pages_only(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with services(tmp_path) as parts:
        user(parts, "ada", "analyst")
        async with logged_in(build(parts), "ada") as client:
            body = json.dumps({"verdict": "benign"})
            answer = await client.put(
                "/api/v1/decisions/a.example.org", content=body, headers=headers
            )
            assert answer.status_code == status, answer.text
            assert (await client.get("/api/v1/decisions")).status_code == 200


async def test_a_login_cannot_be_sent_by_another_site(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        user(parts, "ada", "analyst")
        text = json.dumps({"name": "ada", "password": PASSWORD})
        for headers in (
            {"Content-Type": "text/plain"},
            {**OURS, "Origin": "https://evil.example.net"},
        ):
            answer = await client.post("/api/v1/login", content=text, headers=headers)
            assert answer.status_code in (403, 415)


async def test_the_cookie_is_for_this_site_and_no_script(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        user(parts, "ada", "viewer")
        answer = await client.post("/api/v1/login", json={"name": "ada", "password": PASSWORD})
        cookie = answer.headers["set-cookie"].lower()
        assert COOKIE in cookie and "httponly" in cookie and "samesite=strict" in cookie


async def test_a_token_needs_no_origin(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, with_token(build(parts), parts, "analyst") as client:
        headers = {"Origin": "https://elsewhere.example.net"}
        answer = await client.put(
            "/api/v1/decisions/a.example.org", json={"verdict": "benign"}, headers=headers
        )
        assert answer.status_code == 200


async def test_a_wrong_token_is_not_made_good_by_a_cookie(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        user(parts, "ada", "viewer")
        async with logged_in(build(parts), "ada") as client:
            headers = {"Authorization": "Bearer nw_x_y"}
            assert (await client.get("/api/v1/session", headers=headers)).status_code == 401


async def test_bodies_are_bounded_told_or_not(tmp_path: Path) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1024

    async with services(tmp_path) as parts, with_token(build(parts), parts, "analyst") as client:
        told = await client.put("/api/v1/decisions/a.b", content=b"x" * 70_000)
        untold = await client.put("/api/v1/decisions/a.b", content=endless())
        lying = await client.put(
            "/api/v1/decisions/a.b", content=b"{}", headers={"Content-Length": "-5"}
        )
    assert [told.status_code, untold.status_code, lying.status_code] == [413, 413, 413]


async def test_nothing_in_a_request_makes_it_local(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        for headers in (
            {"namewarden.local": "1"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=unix:"},
            {"X-Real-IP": "127.0.0.1"}, {"Host": "localhost"}, {"Cookie": "namewarden.local=1"},
        ):  # fmt: skip
            assert (await client.get("/api/v1/users", headers=headers)).status_code == 401


async def test_every_answer_is_dressed(tmp_path: Path) -> None:
    async with services(tmp_path) as parts, http(build(parts)) as client:
        for path in ("/", "/api/v1/health", "/api/v1/users", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["cache-control"] == "no-store"
            assert "default-src 'none'" in headers["content-security-policy"]


@given(st.text(max_size=60))
def test_odd_headers_are_read_or_ignored(text: str) -> None:
    _host(text)
    _cookie(text)
    try:
        _check_site({"origin": text, "content-type": "application/json", "host": "x"})
    except Exception as problem:
        assert type(problem).__name__ == "ApiError"
