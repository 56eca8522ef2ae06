"""The route table, walked: nothing is served to nobody, nothing is changed by a viewer, errors say why."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from namewarden.events.batch import from_events, to_wire
from namewarden.events.log import Period
from namewarden.hub.api import build
from namewarden.hub.gate import API, OPEN, PRINCIPAL, Gate
from namewarden.hub.services import Services
from namewarden.policy.spec import ListSpec
from namewarden.query import UpstreamState
from tests.events.samples import NOON, event
from tests.hub.made import at_socket, http, services, with_token


def routes(app: Gate) -> list[tuple[str, str]]:
    """(method, path) of everything that can be asked, with the parameters filled in."""
    found = []
    for route in app._app.routes:  # type: ignore[attr-defined]
        included = getattr(route, "original_router", None)
        prefix, inner = (API, included.routes) if included else ("", [route])
        for each in inner:
            assert isinstance(each, Route), f"a kind of route this walk does not know: {each}"
            path = prefix + re.sub(r"\{[^}]*\}", "x", each.path)
            found += [(method, path) for method in each.methods or ()]
    return found


async def test_every_route_but_the_open_ones_demands_to_know_who_asks(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        app = build(parts)
        table = routes(app)
        assert len(table) > 30
        async with http(app) as client:
            for method, path in table:
                if path in OPEN or path == "/pages/x":
                    continue
                answer = await client.request(method, path, json={})
                assert answer.status_code == 401, f"{method} {path} answers {answer.status_code}"
                if method != "HEAD":
                    assert "log in" in answer.json()["detail"]


async def test_only_these_are_open(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        async with http(build(parts)) as client:
            for path in (
                "/docs",
                "/redoc",
                "/openapi.json",
                "/api/v1/openapi.json",
                "/nowhere",
                "/api/v1",
            ):
                assert (await client.get(path)).status_code == 401
            for path in ("/", "/pages/status.js", "/pages/status.css", "/api/v1/health"):
                assert (await client.get(path)).status_code == 200
            assert (await client.get("/api/v1/ready")).status_code == 503
            assert (await client.get("/pages/../api.py")).status_code == 401


CHANGES = {"POST", "PUT", "PATCH", "DELETE"}
ONES_OWN = {"/api/v1/login", "/api/v1/logout", "/api/v1/session/password"}


@pytest.mark.parametrize("role", ["viewer", "source"])
async def test_a_viewer_or_a_source_changes_nothing(tmp_path: Path, role: str) -> None:
    async with services(tmp_path) as parts:
        app = build(parts)
        async with with_token(app, parts, role) as client:
            for method, path in routes(app):
                handed_in = role == "source" and path == "/api/v1/events"
                if method in CHANGES and path not in ONES_OWN and not handed_in:
                    answer = await client.request(method, path, json={})
                    assert answer.status_code == 403, (
                        f"{method} {path} answers {answer.status_code}"
                    )


async def test_a_source_reads_nothing(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        app = build(parts)
        async with with_token(app, parts, "source") as client:
            for method, path in routes(app):
                if method == "GET" and path not in OPEN | {"/pages/x", "/api/v1/session"}:
                    assert (await client.get(path)).status_code == 403, path


async def test_an_analyst_vets_and_does_nothing_else(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        app = build(parts)
        async with with_token(app, parts, "analyst") as client:
            allowed = {
                path for method, path in routes(app)
                if method in CHANGES and path not in ONES_OWN
                and (await client.request(method, path, json={})).status_code != 403
            }  # fmt: skip
            assert allowed == {"/api/v1/decisions/x"}


async def test_the_schema_names_every_route(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        app = build(parts)
        async with at_socket(app) as client:
            schema = (await client.get("/api/v1/openapi.json")).json()
        paths = {re.sub(r"\{[^}]*\}", "x", path) for path in schema["paths"]}
        pages = {"/", "/pages/x", "/api/v1/openapi.json"}
        assert {path for _, path in routes(app)} - pages == paths


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/queries?limit=0", "limit"),
        ("/api/v1/queries?since=yesterday", "since: 'yesterday' is not a time"),
        ("/api/v1/queries?cursor=x", "cursor"),
        ("/api/v1/queries?name=a.*.b", "star"),
        ("/api/v1/queries?colour=red", "colour"),
        ("/api/v1/statistics/top?of=rules", "of"),
    ],
)
async def test_what_is_wrong_is_said(tmp_path: Path, path: str, words: str) -> None:
    async with services(tmp_path) as parts:
        async with at_socket(build(parts)) as client:
            answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


async def test_a_wrong_body_never_comes_back(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        async with http(build(parts)) as client:
            answer = await client.post(
                "/api/v1/login", json={"name": 5, "password": ["hunter2hunter2"]}
            )
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_pages_have_no_inline_script(tmp_path: Path) -> None:
    async with services(tmp_path) as parts:
        async with http(build(parts)) as client:
            answer = await client.get("/")
            script = (await client.get("/pages/status.js")).text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", answer.text)
    assert "event.count > 1" in script  # a folded event is many queries
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script


async def test_the_page_reads_what_the_api_gives(tmp_path: Path) -> None:
    (tmp_path / "lists" / "plain.txt").parent.mkdir(exist_ok=True)
    (tmp_path / "lists" / "plain.txt").write_text("bad.example.net\n")
    wanted = ListSpec("plain", str(tmp_path / "lists" / "plain.txt"))
    async with services(tmp_path, lists=[wanted]) as parts:
        batch = from_events("run1", 1, "resolver", [event()])
        asked = [UpstreamState("192.0.2.1:53", "udp")]
        await parts.ingest.put(to_wire(replace(batch, upstreams=asked)))
        async with at_socket(build(parts)) as client:
            script = (await client.get("/pages/status.js")).text
            paths = ("/status", "/statistics", "/lists", "/queries", "/session")
            found = [(await client.get(API + path)).json() for path in paths]
    status, statistics, lists, page, who = found
    given = {
        "status": status, "statistics": statistics, "lists": lists, "page": page, "who": who,
        "source": status["sources"][0], "list": lists["lists"][0], "event": page["queries"][0],
        "server": status["upstreams"][0],
    }  # fmt: skip
    for name, answer in given.items():
        read = set(re.findall(rf"\b{name}\.(\w+)", script)) - {"preventDefault", "target"}
        assert read and read <= set(answer), name


def test_the_desk_is_a_value() -> None:
    assert Services.__dataclass_params__.frozen  # type: ignore[attr-defined]


async def test_a_page_is_one_mount_behind_the_gate(tmp_path: Path) -> None:
    """A trial of what the console will be: an application of its own that reads the services; no other change."""
    async with services(tmp_path) as parts:

        async def overview(request: Request) -> PlainTextResponse:
            seen = parts.event_log.summary(Period(0.0, 2 * NOON))
            return PlainTextResponse(f"{request.scope[PRINCIPAL].name}: {seen.queries} queries")

        app = build(parts)
        app._app.mount("/trial", Starlette(routes=[Route("/", overview)]))  # type: ignore[attr-defined]
        parts.event_log.append(from_events("run1", 1, "resolver", [event(count=3)]))
        async with http(app) as stranger, with_token(app, parts, "viewer") as viewer:
            assert (await stranger.get("/trial/")).status_code == 401
            assert (await viewer.get("/trial/")).text == "token viewer: 3 queries"
