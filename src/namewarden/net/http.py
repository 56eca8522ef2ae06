"""HTTP/1.1 for the few programs that ask by it, on sockets that are bound already: sizes, times and counts are bounded.

It reads requests and writes replies; what these say is the affair of who gives it `answer` (`verdicts.py`).
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

END, CLOSE = b"\r\n\r\n", "Connection: close\r\n"
LONGEST_HEAD = 16 * 1024  # octets
MOST_FIELDS = 100
ONCE = frozenset((b"host", b"content-length", b"transfer-encoding", b"authorization"))
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.([01])")
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NUMBER = re.compile(rb"[0-9]{1,10}")
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


class Head(Struct, frozen=True):
    """What stands before a body."""

    method: bytes
    target: bytes
    fields: dict[bytes, bytes]  # names in small letters
    is_last: bool  # of its connection

    @property
    def has_no_body(self) -> bool:
        is_empty = int(self.fields.get(b"content-length", b"0")) == 0
        return is_empty and b"transfer-encoding" not in self.fields


class Request:
    """One request: its head, and its body for who wants it."""

    def __init__(self, head: Head, trusted: bool, connection: "_Connection") -> None:
        target, _, query = head.target.partition(b"?")
        self.method = head.method
        self.path = target.decode("latin-1")
        self.trusted = trusted  # it came by the Unix socket
        self._query = query.decode("latin-1")
        self._fields = head.fields
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
        is_waiting = self._fields.get(b"expect", b"").lower() == b"100-continue"
        return await self._connection.body(int(given), is_waiting)

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
        except OSError:
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
        self._buffer = bytearray()
        self._is_whole = True  # the request was read to its end
        self._is_last = False
        self._has_body = True  # the reply; to HEAD it has none

    async def request(self) -> Head | None:
        """The next request's head; None when the caller is done. TimeoutError when it is idle or slow."""
        self._is_whole, self._is_last = False, True  # until we know better
        async with asyncio.timeout(self._limits.idle):
            while (end := self._buffer.find(END)) < 0:
                if len(self._buffer) > LONGEST_HEAD:
                    raise HttpError(
                        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too long"
                    )
                data = await self._reader.read(65_536)
                if not data:
                    return None
                self._buffer += data
        head = read_head(bytes(self._buffer[:end]))
        del self._buffer[: end + len(END)]
        self._is_whole, self._has_body = head.has_no_body, head.method != b"HEAD"
        self._is_last = head.is_last
        return head

    async def body(self, length: int, is_waiting: bool) -> bytes:
        """`is_waiting`: for us to say that it may be sent."""
        if is_waiting and len(self._buffer) < length:
            await self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        async with asyncio.timeout(self._limits.seconds):
            while len(self._buffer) < length:
                data = await self._reader.read(65_536)
                if not data:
                    raise ConnectionError("the caller left in the middle of its request")
                self._buffer += data
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._is_whole = True
        return body

    async def left(self) -> None:
        """Until the caller hangs up. One that sends its next request meanwhile is not watched any more."""
        data = await self._reader.read(65_536)
        self._buffer += data
        if data:
            await asyncio.get_running_loop().create_future()

    async def reply(
        self, status: HTTPStatus, body: bytes, headers: Sequence[tuple[str, str]]
    ) -> bool:
        """Send it; whether the connection can take another request."""
        is_last = self._is_last or not self._is_whole
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{fields}{CLOSE if is_last else ''}\r\n"
        )
        await self._send(head.encode() + (body if self._has_body else b""))
        return not is_last

    async def _send(self, octets: bytes) -> None:
        self._writer.write(octets)
        async with asyncio.timeout(self._limits.seconds):
            await self._writer.drain()


def read_head(octets: bytes) -> Head:
    """Strictly: what may be read in two ways is refused (RFC 9112 §2.2, §3, §5, §6.3). HttpError."""
    line, *lines = octets.split(b"\r\n")
    asked = _REQUEST_LINE.fullmatch(line)
    if asked is None or len(lines) > MOST_FIELDS:
        raise _not_http("the first line is none" if asked is None else "there are too many fields")
    fields: dict[bytes, bytes] = {}
    for each in lines:
        name, colon, value = each.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise _not_http("a field is none")
        if name in fields and name in ONCE:
            raise _not_http("a field is there twice")
        fields[name] = value
    if not _NUMBER.fullmatch(fields.get(b"content-length", b"0")):
        raise _not_http("Content-Length is no number")
    is_old = asked[3] == b"0"
    if not is_old and b"host" not in fields:
        raise _not_http("Host is missing")
    is_last = is_old or b"close" in fields.get(b"connection", b"").lower()
    return Head(asked[1], asked[2], fields, is_last)


def _not_http(why: str) -> HttpError:
    return HttpError(HTTPStatus.BAD_REQUEST, f"not HTTP: {why}")


def _refused(refusal: HttpError) -> Reply:
    error = {"status": refusal.status.value, "message": str(refusal)}
    return refusal.status, msgspec.json.encode({"error": error}), refusal.headers
