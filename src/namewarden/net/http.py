"""HTTP/1.1 by h11 for the few who ask by it, on sockets that are bound already: every size, time and number is bounded.

It reads requests and writes replies; what these say is the affair of who gives it `answer` (`verdicts.py`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

import h11
import msgspec
from msgspec import Struct

Reply = tuple[HTTPStatus, bytes, Sequence[tuple[str, str]]]  # status, JSON, more headers


class Limits(Struct, frozen=True):
    """What one caller, and all of them, may take."""

    seconds: float = 10.0  # to send a request; to answer it
    idle: float = 60.0  # between requests of one connection
    connections: int = 128  # by TCP; as many by the Unix socket, which strangers cannot fill


class HttpError(Exception):
    """A request that is not served, as status and sentence."""

    def __init__(self, status: HTTPStatus, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Request:
    """One request: its head, and its body for who wants it."""

    def __init__(self, head: h11.Request, trusted: bool, connection: "_Connection") -> None:
        target, _, query = head.target.partition(b"?")
        self.method = head.method
        self.path = target.decode("latin-1")
        self.trusted = trusted  # it came by the Unix socket
        self._query = query.decode("latin-1")
        self._fields = dict(head.headers)
        self._connection = connection

    def header(self, name: bytes) -> bytes:
        return self._fields.get(name, b"")

    def words(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        try:
            return dict(parse_qsl(self._query, keep_blank_values=True, max_num_fields=16))
        except ValueError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "too many words after ?") from error

    async def body(self, most: int) -> bytes:
        """A body whose length is said, of so many bytes at most; none with 0."""
        given = self._fields.get(b"content-length", None if most else b"0")
        if given is None or b"transfer-encoding" in self._fields:  # chunks would have no known end
            raise HttpError(HTTPStatus.LENGTH_REQUIRED, "a Content-Length is needed")
        if int(given) > most:
            raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {most} bytes")
        return await self._connection.body(int(given))

    async def left(self) -> None:
        """Returns when the caller hangs up."""
        await self._connection.left()


class HttpServer:
    """Serves on `sockets` between `start()` and `stop()`."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        answer: Callable[[Request], Awaitable[Reply]],
        limits: Limits,
    ) -> None:
        self._sockets = sockets
        self._answer = answer
        self._limits = limits
        self._servers: list[asyncio.Server] = []
        self._connections = {True: 0, False: 0}  # by whether they came by the Unix socket
        self._is_stopping = False

    async def start(self) -> None:
        for bound in self._sockets:
            local = bound.family == socket.AF_UNIX
            start = asyncio.start_unix_server if local else asyncio.start_server
            greet = self._greet_local if local else self._greet
            self._servers.append(await start(greet, sock=bound))

    def stop(self) -> None:
        """Take no more; what is being answered gets its reply."""
        self._is_stopping = True
        for server in self._servers:
            server.close()
        self._servers.clear()

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
            head = await connection.request()
            if head is None:
                return False
            reply = await self._answer(Request(head, trusted, connection))
        except HttpError as refusal:
            reply = _refused(refusal)
        return await connection.reply(*reply)


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

    async def left(self) -> None:
        """Until the caller hangs up. One that sends its next request meanwhile is not watched any more."""
        data = await self._reader.read(65_536)
        self._http.receive_data(data)
        if data:
            await asyncio.get_running_loop().create_future()

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


def _refused(refusal: HttpError) -> Reply:
    error = {"status": refusal.status.value, "message": str(refusal)}
    return refusal.status, msgspec.json.encode({"error": error}), refusal.headers
