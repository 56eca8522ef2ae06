"""The verdict API: `POST /api/v1/verdicts` over HTTP/1.1, for servers that are not ours (CoreDNS, the hub).

It runs the same chain as the DNS listeners, with "no opinion" as last handler, and needs no hub. TCP wants a bearer
token, the Unix socket's permissions are its password. `contract/verdict.json` fixes the words it speaks.
"""

import asyncio
import hmac
import ipaddress
import itertools
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from http import HTTPStatus

import h11
import msgspec
from msgspec import UNSET, Struct, UnsetType

from namewarden.net.listener import Reaches, settled
from namewarden.query import Answer, Query, Verdict
from namewarden.wire.errors import WireError
from namewarden.wire.message import query_for
from namewarden.wire.types import type_number

PATH = "/api/v1/verdicts"
Reply = tuple[HTTPStatus, bytes, Sequence[tuple[str, str]]]
AT_ONCE = 128  # names judged side by side: more would wait for the model past its deadline
SHOWN = 300  # characters of what was no name
FLEETING = frozenset({"model_late", "fault", "limit", "upstream"})  # true now only, not to be kept


class Limits(Struct, frozen=True):
    """What one caller, and all of them, may take."""

    body: int = 1024 * 1024  # bytes
    batch: int = 1024  # names
    seconds: float = 10.0  # to send a request; to judge it
    idle: float = 60.0  # between requests of one connection
    connections: int = 128  # by TCP; as many by the Unix socket, which strangers cannot fill
    requests: int = 32  # being judged at a time


class VerdictQuery(Struct, forbid_unknown_fields=True):
    name: str
    client: str
    qtype: str | int = "A"


class VerdictRequest(Struct, forbid_unknown_fields=True):
    queries: list[VerdictQuery]


class ShownAnswer(Struct):
    """How a refused name is answered."""

    mode: str
    addresses: tuple[str, ...]
    records: tuple[tuple[str, int, str], ...]
    ttl: int
    ede: tuple[tuple[int, str], ...]  # RFC 8914 info-code and text


class VerdictReply(Struct):
    """One verdict as it goes out."""

    id: str
    name: str
    action: str
    reason: str
    rule: str
    family: str
    score: float | None
    band: str
    model: str
    shadow: str
    answer: ShownAnswer | None  # null: answered as asked
    ttl: int  # seconds the verdict may be kept
    error: str | UnsetType = UNSET  # why the name is none: then the rest says nothing


class HttpError(Exception):
    """A request that is not served, as status and sentence."""

    def __init__(self, status: HTTPStatus, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class VerdictListener:
    """Serves on sockets that are bound already; `verdict_of` is the chain."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        verdict_of: Callable[[Query], Awaitable[Answer]],
        token_hashes: Callable[[], Sequence[str]],
        run: str,
        limits: Limits | None = None,
        spell: Callable[[str], str] = str,
    ) -> None:
        self._sockets = sockets
        self._verdict_of = verdict_of
        self._token_hashes = token_hashes
        self._run = run  # of this process: makes ids unique
        self._limits = limits or Limits()
        self._spell = spell  # makes an A-label of what people write
        self._numbers = itertools.count(1)
        self._servers: list[asyncio.Server] = []
        self._connections = {True: 0, False: 0}  # by whether they came by the Unix socket
        self._requests = 0
        self._is_stopping = False

    async def start(self) -> None:
        for bound in self._sockets:
            local = bound.family == socket.AF_UNIX
            start = asyncio.start_unix_server if local else asyncio.start_server
            greet = self._greet_local if local else self._greet
            self._servers.append(await start(greet, sock=bound))

    async def stop(self) -> None:
        self._is_stopping = True
        for server in self._servers:
            server.close()
        self._servers.clear()
        await settled(lambda: not self._requests)

    def forget(self, reaches: Reaches | None = None) -> None:
        pass  # nothing is kept: each request is judged

    def is_busy(self) -> bool:
        return False

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(reader, writer, trusted=False)

    async def _greet_local(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._serve(reader, writer, trusted=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trusted: bool
    ) -> None:
        self._connections[trusted] += 1
        connection = _Connection(reader, writer, self._limits)
        try:
            if self._connections[trusted] > self._limits.connections:
                full = HttpError(HTTPStatus.TOO_MANY_REQUESTS, "too many connections")
                await connection.reply(*_refused(full))
                return
            while await self._turn(connection, trusted) and not self._is_stopping:
                pass
        except (OSError, h11.LocalProtocolError):
            return  # the caller left, cannot be reached, or never came to the end of its request
        finally:
            self._connections[trusted] -= 1
            writer.close()

    async def _turn(self, connection: "_Connection", trusted: bool) -> bool:
        """One request and its reply; whether another may follow."""
        try:
            request = await connection.request()
            if request is None:
                return False
            self._admit(request, trusted)
            body = await connection.body(_length(request, self._limits.body))
            reply: Reply = HTTPStatus.OK, await self._judge(body), ()
        except HttpError as refusal:
            reply = _refused(refusal)
        return await connection.reply(*reply)

    def _admit(self, request: h11.Request, trusted: bool) -> None:
        if request.target.split(b"?")[0] != PATH.encode():
            raise HttpError(HTTPStatus.NOT_FOUND, f"only {PATH} is here")
        if not trusted:
            self._check_token(dict(request.headers).get(b"authorization", b""))
        if request.method != b"POST":
            raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, "ask with POST", ("Allow", "POST"))

    def _check_token(self, header: bytes) -> None:
        kind, _, token = header.partition(b" ")
        given = sha256(token.strip()).hexdigest()
        # Every hash is compared, so that the time says nothing about which one fits.
        fits = [hmac.compare_digest(given, known) for known in self._token_hashes()]
        if kind.lower() != b"bearer" or not any(fits):
            raise HttpError(
                HTTPStatus.UNAUTHORIZED,
                "a bearer token of this installation is needed",
                ("WWW-Authenticate", "Bearer"),
            )

    async def _judge(self, body: bytes) -> bytes:
        if self._requests >= self._limits.requests:
            raise HttpError(
                HTTPStatus.TOO_MANY_REQUESTS, "too many requests at a time", ("Retry-After", "1")
            )
        now = asyncio.get_running_loop().time()
        queries = self._queries(_batch(body, self._limits), now)
        self._requests += 1
        try:
            async with asyncio.timeout(self._limits.seconds):
                said = [
                    said
                    for start in range(0, len(queries), AT_ONCE)
                    for said in await self._side_by_side(queries[start : start + AT_ONCE])
                ]
        except TimeoutError:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, "judging took too long") from None
        finally:
            self._requests -= 1
        return msgspec.json.encode({"verdicts": said})

    def _queries(self, asked: list[VerdictQuery], now: float) -> list[Query | VerdictReply]:
        """What is no name is answered in its place, unless nothing else was asked."""
        made: list[Query | VerdictReply] = []
        for at, each in enumerate(asked):
            try:
                made.append(_query(at, each, self._spell, now))
            except WireError as error:
                if len(asked) == 1:
                    raise HttpError(HTTPStatus.BAD_REQUEST, f"queries[{at}]: {error}") from error
                made.append(_no_name(f"{self._run}-{next(self._numbers)}", each.name, str(error)))
        return made

    async def _side_by_side(self, asked: list[Query | VerdictReply]) -> list[VerdictReply]:
        queries = [each for each in asked if isinstance(each, Query)]
        answers = iter(await asyncio.gather(*(self._verdict_of(query) for query in queries)))
        return [
            to_reply(f"{self._run}-{next(self._numbers)}", each, next(answers), time.time())
            if isinstance(each, Query)
            else each
            for each in asked
        ]


class _Connection:
    """One connection: requests in, replies out."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=16 * 1024)

    async def request(self) -> h11.Request | None:
        """The next request's head; None when the caller is done. TimeoutError when it is idle or slow."""
        async with asyncio.timeout(self._limits.idle):
            event = await self._event()
        return event if isinstance(event, h11.Request) else None

    async def body(self, length: int) -> bytes:
        if self._http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        async with asyncio.timeout(self._limits.seconds):
            while isinstance(event := await self._event(), h11.Data):
                body += event.data
        if not isinstance(event, h11.EndOfMessage) or len(body) != length:
            raise ConnectionError("the caller left in the middle of its request")
        return bytes(body)

    async def reply(
        self, status: HTTPStatus, body: bytes, headers: Sequence[tuple[str, str]]
    ) -> bool:
        """Send it; whether the connection can take another request."""
        over = status != HTTPStatus.OK and self._http.their_state is not h11.DONE
        fields = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *headers,
            *([("Connection", "close")] if over else []),
        ]
        await self._send(
            h11.Response(status_code=status, headers=fields, reason=status.phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        )
        if over or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while True:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                self._http.receive_data(await self._reader.read(65_536))
        except h11.RemoteProtocolError as error:
            raise HttpError(HTTPStatus(error.error_status_hint), f"not HTTP: {error}") from error

    async def _send(self, *events: h11.Event) -> None:
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        async with asyncio.timeout(self._limits.seconds):
            await self._writer.drain()


def _length(request: h11.Request, most: int) -> int:
    fields = dict(request.headers)
    given = fields.get(b"content-length")
    if given is None or b"transfer-encoding" in fields:  # chunks would have no end that we know
        raise HttpError(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
    if int(given) > most:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {most} bytes")
    return int(given)


def _batch(body: bytes, limits: Limits) -> list[VerdictQuery]:
    try:
        queries = msgspec.json.decode(body, type=VerdictRequest).queries
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"the body does not fit: {error}") from error
    if len(queries) > limits.batch:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a batch has at most {limits.batch} queries"
        )
    return queries


def _query(place: int, asked: VerdictQuery, spell: Callable[[str], str], now: float) -> Query:
    """WireError for what is no name; HttpError for what a program made wrong."""
    try:
        client = str(ipaddress.ip_address(asked.client))
        qtype = type_number(asked.qtype) if isinstance(asked.qtype, str) else asked.qtype
        query_for("a.", qtype, client, "api", now)
    except (WireError, ValueError, OverflowError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"queries[{place}]: {error}") from error
    if not asked.name:
        raise WireError("the name is empty")
    return query_for(spell(asked.name), qtype, client, "api", now)


def _no_name(identity: str, name: str, error: str) -> VerdictReply:
    return VerdictReply(
        identity, name[:SHOWN], "allow", "unscored", "", "", None, "error", "", "", None, 0, error
    )  # fmt: skip


def to_reply(identity: str, query: Query, answer: Answer, epoch: float) -> VerdictReply:
    """An answer of the chain as a verdict for another server. No verdict means that nothing spoke about the name.

    It may be kept no longer than the rule that made it lives.
    """
    verdict = answer.verdict or Verdict("allow", "none")
    shown = (
        ShownAnswer(verdict.mode, verdict.addresses, verdict.records, verdict.ttl, answer.ede)
        if verdict.mode
        else None
    )
    left = max(int(verdict.expires - epoch), 0) if verdict.expires else verdict.ttl
    return VerdictReply(
        identity,
        query.name,
        verdict.action,
        verdict.reason,
        verdict.rule,
        verdict.family,
        verdict.score,
        verdict.band,
        verdict.model,
        verdict.shadow,
        shown,
        0 if verdict.reason in FLEETING else min(verdict.ttl, left),
    )


def _refused(refusal: HttpError) -> Reply:
    error = {"status": refusal.status.value, "message": str(refusal)}
    return refusal.status, msgspec.json.encode({"error": error}), refusal.headers
