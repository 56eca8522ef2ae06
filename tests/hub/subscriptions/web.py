"""A web server on loopback that does for each path what a test says; over TLS by a test authority, too."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

Page = Callable[["Visit"], object]


class Visit(BaseHTTPRequestHandler):
    """One request, and what a page does with it."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        page = self.server.pages.get(self.path.partition("?")[0])
        if page is None:
            self.send(b"no such page", status=404)
        else:
            page(self)

    def send(
        self, body: bytes, status: int = 200, length: int | None = None, **headers: str
    ) -> None:
        """With a Content-Length, unless that is below 0."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is None or length >= 0:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: dict[str, Page]
    seen: list[tuple[str, dict[str, str]]]

    def handle_error(self, *_: object) -> None:
        """A client that goes is no error."""


class Site:
    """A running server: `site.pages["/list"] = gives(b"…")`, `site.url("/list")`."""

    def __init__(self, server: _Server, scheme: str) -> None:
        self.pages = server.pages
        self.seen = server.seen  # path and headers of each request
        self.port: int = server.server_address[1]
        self._scheme = scheme

    def url(self, path: str = "/list", host: str = "127.0.0.1", user: str = "") -> str:
        return f"{self._scheme}://{user}{host}:{self.port}{path}"


def gives(body: bytes, **headers: str) -> Page:
    return lambda visit: visit.send(body, 200, None, **headers)


def leads(location: str, status: int = 302) -> Page:
    return lambda visit: visit.send(b"", status, Location=location)


def versioned(texts: list[bytes], **headers: str) -> Page:
    """The last text, by its ETag."""

    def page(visit: Visit) -> None:
        etag = f'"{len(texts)}"'
        if visit.headers.get("If-None-Match") == etag:
            visit.send(b"", 304, ETag=etag)
        else:
            visit.send(texts[-1], 200, None, ETag=etag, **headers)

    return page


@contextmanager
def site(pages: dict[str, Page] | None = None, trust: Path | None = None) -> Iterator[Site]:
    """`trust`: folder of `authority()`, then it is https."""
    server = _Server(("127.0.0.1", 0), Visit)
    server.pages, server.seen = pages if pages is not None else {}, []
    if trust is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(trust / "server.pem", trust / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield Site(server, "https" if trust else "http")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def authority(folder: Path, name: str = "lists.example.org") -> Path:
    """A folder with `ca.pem`, and a certificate of it for `name` and 127.0.0.1."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    folder.mkdir(exist_ok=True)
    (folder / "san").write_text(f"subjectAltName=DNS:{name},IP:127.0.0.1\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for command in (
        f"req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-authority",
        f"req {key} -keyout server.key -out server.csr -subj /CN={name}",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder
