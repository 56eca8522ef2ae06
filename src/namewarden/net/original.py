"""The form of the original CoreDNS plugin (mlbridge), for who still has it: `POST /`, and a probability.

`{"Domain Name":"bad.example.","IP":"192.0.2.7"}` becomes `{"p":"0.997000"}`: from 0.5 on the name is malicious.
It has no token, so only programs of this machine may ask. It has no events of its own either: `judge` records.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

import msgspec
from msgspec import Struct, field

from namewarden.net.http import HttpError, HttpServer, Limits, Reply, Request
from namewarden.net.listener import Reaches, settled
from namewarden.query import Answer, Query, Verdict
from namewarden.wire.errors import WireError
from namewarden.wire.message import query_for
from namewarden.wire.types import A

BODY = 4096  # octets; a name has at most 1,004 characters as text
HIGHEST_BENIGN = 0.499999
# What a browser sends along for a page that was rebound to us has the page's name there.
_OURS = re.compile(rb"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


class Asked(Struct):
    """The plugin's words; it asks the same for every type."""

    name: str = field(name="Domain Name")
    client: str = field(name="IP")


class OriginalListener:
    """Serves on loopback sockets that are bound already."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        judge: Callable[[Query], Awaitable[Answer]],
        limits: Limits | None = None,
    ) -> None:
        self._judge = judge
        self._limits = limits or Limits()
        self._server = HttpServer(sockets, self._answer, self._limits)
        self._requests = 0

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        self._server.stop()
        await settled(lambda: not self._requests)

    def forget(self, reaches: Reaches | None = None) -> None:
        pass  # nothing is kept: each request is judged

    def is_busy(self) -> bool:
        return False

    async def _answer(self, request: Request) -> Reply:
        if request.path != "/":
            raise HttpError(HTTPStatus.NOT_FOUND, "only / is here")
        if request.method != b"POST":
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "ask with POST", ("Allow", "POST"))
        _check_caller(request)
        query = _query(await request.body(BODY))
        self._requests += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                answer = await self._judge(query)
        except TimeoutError:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "judging took too long") from None
        finally:
            self._requests -= 1
        return HTTPStatus.OK, msgspec.json.encode({"p": f"{probability(answer.verdict):.6f}"}), ()


def probability(verdict: Verdict | None) -> float:
    """What makes the plugin do what the verdict says: below one half a name passes, whatever its score is."""
    if verdict is None:
        return 0.0
    if verdict.action in ("block", "redirect"):
        return 1.0 if verdict.score is None else max(verdict.score, 0.5)
    return min(verdict.score or 0.0, HIGHEST_BENIGN)


def _check_caller(request: Request) -> None:
    """A page in a browser of this machine can reach loopback, too; it would fill the event log."""
    if request.header(b"origin") or not _OURS.fullmatch(request.header(b"host")):
        raise HttpError(HTTPStatus.FORBIDDEN, "only programs of this machine are answered")


def _given(name: str) -> str:
    if not name:
        raise WireError("the name is empty")
    return name


def _query(body: bytes) -> Query:
    try:
        asked = msgspec.json.decode(body, type=Asked)
        client = str(ipaddress.ip_address(asked.client))
        return query_for(_given(asked.name), A, client, "api", asyncio.get_running_loop().time())
    except (msgspec.DecodeError, WireError, ValueError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"the body does not fit: {error}") from error
