"""What every request passes before any route: its host, its size, who it is from. Nobody known, nothing served.

Only the paths of OPEN are for everybody. Requests of the Unix socket are marked by `server.Local`, in the ASGI
scope, where no header of a client reaches.
"""

import ipaddress
import json
import math
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from namewarden.hub.auth import COOKIE, Auth, Principal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/api/v1"
# Nothing of these says anything about the network, its clients or its users.
OPEN = frozenset(
    {"/", "/pages/status.js", "/pages/status.css", f"{API}/login", f"{API}/health", f"{API}/ready"}
)
LOCAL, PRINCIPAL = "namewarden.local", "namewarden.principal"
BODY, BODY_EVENTS = 64 * 1024, 32 * 1024 * 1024  # octets
_SAFE = frozenset({"GET", "HEAD"})
_HEADERS = (
    # No inline script, nothing from elsewhere: a name that got into a page as HTML still does nothing.
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; "
     b"connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)  # fmt: skip


class ApiError(HTTPException):
    """The request goes no further."""

    def __init__(self, status: int, detail: str, wait: float = 0.0) -> None:
        headers = {"Retry-After": str(math.ceil(wait))} if wait else None
        super().__init__(status, detail, headers)


class Gate:
    """An ASGI application around another. `hosts` are names by which the hub is known beside its addresses."""

    def __init__(self, app: App, auth: Auth, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._auth = auth
        self._hosts = {"localhost", *(host.lower() for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no WebSockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            scope[PRINCIPAL] = self._admit(scope, _headers(scope))
            limit = BODY_EVENTS if scope["path"] == f"{API}/events" else BODY
            await self._app(scope, _Bounded(receive, limit), _Dressed(send))
        except ApiError as refusal:
            await problem(send, refusal.status_code, refusal.detail)

    def _admit(self, scope: Scope, headers: dict[str, str]) -> Principal | None:
        """Who it is. ApiError when it may not come in at all."""
        limit = BODY_EVENTS if scope["path"] == f"{API}/events" else BODY
        size = headers.get("content-length", "0")
        if not size.isdecimal() or int(size) > limit:
            raise ApiError(413, f"a body has at most {limit} octets")
        if scope.get(LOCAL):
            return Principal("local administrator", "administrator", "socket")
        self._check_host(headers)
        principal = self._known(headers)
        if principal is None and scope["path"] not in OPEN:
            raise ApiError(401, "log in, or send a bearer token")
        if scope["method"] not in _SAFE and (principal is None or principal.how == "session"):
            _check_site(headers)
        return principal

    def _check_host(self, headers: dict[str, str]) -> None:
        """A foreign name that was rebound to our address is not ours (DNS rebinding)."""
        host = _host(headers.get("host", ""))
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if host not in self._hosts:
                raise ApiError(421, f"this hub is not called {host[:80]!r}") from None

    def _known(self, headers: dict[str, str]) -> Principal | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            principal = self._auth.by_token(token.strip())
            if principal is None:
                raise ApiError(401, "this token is not known, or has expired")
            return principal
        cookie = _cookie(headers.get("cookie", ""))
        return self._auth.by_cookie(cookie) if cookie else None


def _headers(scope: Scope) -> dict[str, str]:
    """The last of each name; a repeated Host or Authorization is not to be argued about."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _host(text: str) -> str:
    try:
        return (urlsplit(f"//{text}").hostname or "").lower()
    except ValueError:
        return ""


def _cookie(text: str) -> str:
    try:
        morsel = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _check_site(headers: dict[str, str]) -> None:
    """A page of another site can neither send JSON without asking first, nor hide where it comes from."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "Content-Type must be application/json")
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ApiError(403, "a request from another site")
    origin = headers.get("origin")
    if origin is not None and _netloc(origin) != headers.get("host", "").lower():
        raise ApiError(403, "a request from another origin")


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


class _Bounded:
    """A body that is longer than it said, or said nothing, ends here too."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise ApiError(413, "the body is too long")
        return message


class _Dressed:
    """Security headers on every answer."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
        await self._send(message)


async def problem(send: Send, status: int, detail: str) -> None:
    """An answer as RFC 9457 has it."""
    body = json.dumps({"status": status, "detail": detail}).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    dressed = _Dressed(send)
    await dressed({"type": "http.response.start", "status": status, "headers": headers})
    await dressed({"type": "http.response.body", "body": body})
