"""What every listener is: a trial of one more transport, and the wait at a stop."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import time

import pytest

from namewarden.net.connection import Serving
from namewarden.net.listener import Listener, settled
from namewarden.net.tcp import TcpLimits, TcpListener
from namewarden.query import Answer
from tests.net.listeners import framed, receive


async def test_settled_waits_until_nothing_is_in_flight():
    gate = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, gate.set)
    began = time.monotonic()
    await settled(gate.is_set)
    assert 0.09 < time.monotonic() - began < 1


# DNS over TLS, made of what is there: these lines and a setting are all that a real one needs.


class TlsSocket:
    """A server's end of TLS that speaks as a plain non-blocking socket does."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.fileno = self._sock.fileno
        self.close = self._sock.close

    def recv(self, _size: int) -> bytes:
        try:
            return self._sock.recv(16_384)  # a whole record: what is left of one wakes nobody
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def send(self, data: bytearray) -> int:
        try:
            return self._sock.send(data)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None


def tls_listener(
    bound: socket.socket, serving: Serving, limits: TcpLimits, context: ssl.SSLContext
) -> Listener:
    return TcpListener(bound, serving, limits, lambda sock: TlsSocket(sock, context))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """(certificate, key) of a server that vouches for itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


async def test_a_listener_for_tls_needs_a_wrapped_socket_and_no_more(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    asked = []

    def ask(query, answered):
        asked.append(query.transport)
        big = b"\0\0\x10\0\1\0\0\0\0\xea\x60" + b"\xff" + bytes(59_999)
        answered(Answer(0, big, (1, 0, 0)))

    with socket.create_server(("127.0.0.1", 0)) as bound:
        serving = Serving(ask, transport="tls")
        made = tls_listener(bound, serving, TcpLimits(lambda ip: True), context)
        await made.start()
        trust = ssl.create_default_context(cafile=str(certificate[0]))
        reader, writer = await asyncio.open_connection(*bound.getsockname(), ssl=trust)
        queries = [framed(f"n{n}.example.org", n) for n in range(500)]
        writer.write(b"".join(queries))
        for ident in range(500):
            assert (await receive(reader))[:2] == ident.to_bytes(2)
        writer.close()
        async with asyncio.timeout(2):  # a stranger to TLS harms nobody
            reader, writer = await asyncio.open_connection(*bound.getsockname())
            writer.write(framed("www.example.org") * 20)
            await receive(reader)
            writer.close()
        await made.stop()
    assert asked == ["tls"] * 500 and serving.counts.faults == serving.counts.malformed == 0
