"""The hub's REST API: routes put together, errors as JSON with a reason. `gate.py` stands before all of it."""

from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from namewarden.events.batch import BatchError
from namewarden.events.log import EventLogError, FilterError
from namewarden.hub import (
    routes_access,
    routes_events,
    routes_health,
    routes_policy,
    routes_subscriptions,
    routes_vetting,
)
from namewarden.hub.auth import AuthError
from namewarden.hub.control import Conflict, ControlError
from namewarden.hub.gate import API, Gate
from namewarden.hub.services import HubServices, Services, needs

PAGES = {"status.js": "text/javascript", "status.css": "text/css"}
_STATUS: dict[type[Exception], int] = {
    BatchError: 400,
    FilterError: 422,
    EventLogError: 503,
    ControlError: 503,
    Conflict: 409,
}


def build(services: Services) -> Gate:
    """The whole application, gate included."""
    app = FastAPI(
        title="Namewarden",
        version=services.version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = services
    for kind in _STATUS:
        app.add_exception_handler(kind, _failed)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(AuthError, _not_let_in)
    app.add_exception_handler(RequestValidationError, _invalid)
    for module in (
        routes_access, routes_events, routes_health, routes_policy, routes_subscriptions, routes_vetting,
    ):  # fmt: skip
        app.include_router(module.router, prefix=API)
    _add_pages(app)
    return Gate(app, services.auth, services.hosts)


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return Response(_page("status.html"), media_type="text/html; charset=utf-8")

    @app.get("/pages/{name}", include_in_schema=False)
    def part(name: str) -> Response:
        if name not in PAGES:
            raise HTTPException(404, "no such page")
        return Response(_page(name), media_type=PAGES[name])

    @app.get(f"{API}/openapi.json", include_in_schema=False, dependencies=[needs("viewer")])
    def openapi(services: HubServices) -> JSONResponse:
        return JSONResponse(app.openapi())


def _page(name: str) -> bytes:
    return (files("namewarden.hub") / "pages" / name).read_bytes()


def _problem(status: int, detail: object, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(
        {"status": status, "detail": detail},
        status,
        headers,
        media_type="application/problem+json",
    )


async def _failed(_request: Request, problem: Exception) -> Response:
    headers = {"Retry-After": "2"} if _STATUS[type(problem)] == 503 else None
    return _problem(_STATUS[type(problem)], str(problem), headers)


async def _gone(_request: Request, _problem: Exception) -> Response:
    """Who went before the body was whole hears nothing, and is no fault of ours."""
    return Response(status_code=400)


async def _refused(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return _problem(problem.status_code, problem.detail, dict(problem.headers or {}))


async def _not_let_in(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, AuthError)
    if problem.wait:
        return _problem(429, str(problem), {"Retry-After": str(int(problem.wait) + 1)})
    return _problem(403, str(problem))


async def _invalid(_request: Request, problem: Exception) -> Response:
    """Which field is wrong and why; never the value, which may be a password."""
    assert isinstance(problem, RequestValidationError)
    texts = []
    for error in problem.errors()[:20]:
        place = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
        texts.append(f"{place}: {error['msg'].removeprefix('Value error, ')}")
    return _problem(422, "; ".join(texts))
