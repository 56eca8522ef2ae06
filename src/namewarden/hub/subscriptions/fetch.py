"""One download: asks a list's server, follows where it leads, and leaves what came in a file. Everything is bounded.

The caller says what it has already, so that an unchanged list costs one short answer. Counterparts: `connect.py`, the
way to a server, and `follow.py`, who asks.
"""

import asyncio
import base64
import hashlib
import http
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

import certifi
import httpcore

from namewarden.hub.subscriptions.connect import CheckedBackend, Lookup
from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.store import Asked, Fetched
from namewarden.hub.subscriptions.unpack import Sniffed, is_zip, layer_of, unzip
from namewarden.policy.errors import ListError
from namewarden.policy.names import listed
from namewarden.policy.source import load
from namewarden.settings import shown_url

CONNECT, SILENCE = 10.0, 20.0  # seconds to connect, and between octets
HOPS = 5  # redirects followed; browsers follow 20
LONGEST = 1024  # octets of a validator that is kept
REDIRECTS = (301, 302, 303, 307, 308)
PORTS = {"http": 80, "https": 443}
_PATH = "/%:@!$&'()*+,;=~-._[]|"  # as it stands; all else is escaped

Told = Callable[[int, int], None]  # octets that came, of how many; 0 = not said


@dataclass(frozen=True)
class Web:
    """How servers are reached, and what a download may take."""

    lookup: Lookup
    size: int  # octets, as sent and as unpacked
    seconds: float
    agent: str = "namewarden"
    silence: float = SILENCE


async def fetch(
    web: Web, asked: Asked, part: Path, told: Told = lambda came, of: None
) -> Fetched | None:
    """The list is in `part`, unless it is unchanged: then None, or what is known of it. DownloadError, OSError."""
    try:
        async with asyncio.timeout(web.seconds):
            return await _follow(web, asked, part, told)
    except TimeoutError as problem:
        raise DownloadError(f"it took longer than {web.seconds:g} s") from problem
    except httpcore.ConnectTimeout as problem:
        raise DownloadError(f"no connection within {CONNECT:g} s") from problem
    except httpcore.TimeoutException as problem:
        raise DownloadError(f"the server was silent for {web.silence:g} s") from problem
    except (httpcore.NetworkError, httpcore.ProtocolError) as problem:
        said = str(problem) or "the connection was lost"
        raise DownloadError(said[:200]) from problem


async def _follow(web: Web, asked: Asked, part: Path, told: Told) -> Fetched | None:
    url = _split(asked.url)
    for _ in range(HOPS + 1):
        async with _answer(web, asked, url) as answer:
            if answer.status in REDIRECTS:
                url = _next(url, _header(answer, b"location"))
                continue
            if answer.status == 304 and (asked.etag or asked.modified):
                return None
            if answer.status != 200:
                said = f"{shown_url(url.geturl())[:200]} says {_status(answer.status)}"
                raise DownloadError(said, _after(answer))
            return await _take(web, asked, answer, part, told)
    raise DownloadError(f"it is redirected more than {HOPS} times")


def _split(place: str) -> SplitResult:
    try:
        url = urlsplit(place)
        if url.scheme in PORTS and url.hostname and url.port != 0:
            return url
    except ValueError:
        pass
    raise DownloadError(f"{shown_url(place)[:200]!r} is no http:// or https:// URL")


def _next(url: SplitResult, location: str) -> SplitResult:
    """Where a redirect leads."""
    try:
        there = _split(urljoin(url.geturl(), location))
    except ValueError as problem:
        raise DownloadError("it is redirected to what is no URL") from problem
    if url.scheme == "https" and there.scheme == "http":
        raise DownloadError(f"it is redirected from https to {shown_url(there.geturl())[:200]}")
    return there


@asynccontextmanager
async def _answer(web: Web, asked: Asked, url: SplitResult) -> AsyncIterator[httpcore.Response]:
    host = (listed(url.hostname or "") or url.hostname or "").removesuffix(".")
    if not host.isascii():
        raise DownloadError(f"{host[:100]!r} is no name of a server")
    origin = httpcore.Origin(url.scheme.encode(), host.encode(), url.port or PORTS[url.scheme])
    target = quote(url.path or "/", safe=_PATH) + (
        f"?{quote(url.query, safe=_PATH + '?')}" if url.query else ""
    )
    to = httpcore.URL(
        scheme=origin.scheme, host=origin.host, port=origin.port, target=target.encode()
    )
    timeout = {"connect": CONNECT, "read": web.silence, "write": web.silence, "pool": CONNECT}
    trust = await asyncio.to_thread(_trust) if url.scheme == "https" else None
    connection = httpcore.AsyncHTTPConnection(
        origin, trust, network_backend=CheckedBackend(web.lookup, asked.allow_private)
    )
    async with connection:
        stream = connection.stream(
            "GET", to, headers=_headers(web, asked, url, host), extensions={"timeout": timeout}
        )
        async with stream as answer:
            yield answer


def _trust() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE and SSL_CERT_DIR say others); those of certifi where it has none."""
    paths = ssl.get_default_verify_paths()
    has_any = paths.cafile or (paths.capath and os.listdir(paths.capath))
    return ssl.create_default_context(cafile=None if has_any else certifi.where())


def _headers(web: Web, asked: Asked, url: SplitResult, host: str) -> list[tuple[str, str]]:
    shown = f"[{host}]" if ":" in host else host
    port = f":{url.port}" if url.port and url.port != PORTS[url.scheme] else ""
    headers = [
        ("Host", shown + port),
        ("User-Agent", web.agent),
        ("Accept", "*/*"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "close"),
    ]
    if asked.etag:
        headers.append(("If-None-Match", asked.etag))
    if asked.modified:
        headers.append(("If-Modified-Since", asked.modified))
    first = urlsplit(asked.url)
    if first.username is not None and _origin(first) == _origin(url):  # nobody else's to know
        pair = f"{unquote(first.username)}:{unquote(first.password or '')}"
        headers.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    return headers


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or PORTS[url.scheme]


def _header(answer: httpcore.Response, name: bytes) -> str:
    """The first of that name, "" when there is none."""
    found = (value for key, value in answer.headers if key.lower() == name)
    return next(found, b"").decode("utf-8", "replace").strip()


def _after(answer: httpcore.Response) -> float:
    """Seconds of a Retry-After (RFC 9110 §10.2.3); 0 where there is none."""
    text = _header(answer, b"retry-after")
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _validator(answer: httpcore.Response, name: bytes) -> str:
    """What the server wants to hear the next time; nothing that cannot be sent as it came."""
    text = _header(answer, name)
    return text if text.isascii() and text.isprintable() and len(text) <= LONGEST else ""


def _status(number: int) -> str:
    """In our own words: the server's may be anything."""
    try:
        return f"{number} {http.HTTPStatus(number).phrase}"
    except ValueError:
        return str(number)


async def _take(
    web: Web, asked: Asked, answer: httpcore.Response, part: Path, told: Told
) -> Fetched:
    etag, modified = _validator(answer, b"etag"), _validator(answer, b"last-modified")
    with part.open("xb") as file:
        sink = _Sink(file, web.size)
        await _receive(answer, sink, told)
        file.flush()
        digest, size = await asyncio.to_thread(_finish, part, sink, asked.digest)
    return Fetched(etag, modified, digest, size)


async def _receive(answer: httpcore.Response, sink: "_Sink", told: Told) -> None:
    """Octets as they come, unpacked, into the sink."""
    length = _header(answer, b"content-length")
    total = int(length) if length.isdecimal() and len(length) < 16 else 0
    if total > sink.limit:
        raise DownloadError(f"it is too large: {total} octets, at most {sink.limit}")
    sent, inner = layer_of(_header(answer, b"content-encoding").lower()), Sniffed()
    came = 0
    async for data in answer.aiter_stream():
        came += len(data)
        told(came, total)
        if came > sink.limit:
            raise DownloadError(f"it is too large: at most {sink.limit} octets")
        for file in sent.feed(data):
            for text in inner.feed(file):
                sink.write(text)
    sent.end()
    inner.end()


class _Sink:
    """Writes and counts."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.limit = limit
        self.file = file
        self._length = 0
        self._hash = hashlib.blake2b(digest_size=16)

    def write(self, text: bytes) -> None:
        self._length += len(text)
        if self._length > self.limit:
            raise DownloadError(f"it is too large when unpacked: at most {self.limit} octets")
        self._hash.update(text)
        self.file.write(text)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()


def _finish(part: Path, sink: _Sink, known: str) -> tuple[str, int]:
    """Digest of what came, and octets of the list in it. What is not known is checked, and safe on the disk."""
    if sink.digest == known:
        return known, part.stat().st_size
    if is_zip(part):
        inner = part.with_suffix(".unzipped")
        try:
            with inner.open("xb") as file:
                unpacked = _Sink(file, sink.limit)
                unzip(part, unpacked.write)
            inner.replace(part)
        finally:
            inner.unlink(missing_ok=True)
    try:
        load(part, sink.limit)
    except ListError as problem:
        raise DownloadError(f"what came {problem}") from problem
    with part.open("rb") as file:
        os.fsync(file.fileno())
        return sink.digest, os.fstat(file.fileno()).st_size
