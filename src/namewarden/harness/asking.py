"""One question to one resolver, by UDP, TCP or TLS, and what came back. The only sockets of the room.

A client asks one after the other and keeps its connection; who wants many at a time has many clients.
"""

import asyncio
import os
import socket
import ssl
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
from msgspec import Struct

from namewarden.harness.cases import Case
from namewarden.harness.expected import Found, Record

Transport = Literal["udp", "tcp", "tls"]
PORTS: dict[Transport, int] = {"udp": 53, "tcp": 53, "tls": 853}
PAYLOAD = 1232  # octets of a datagram; what is larger comes by TCP
CLOSING = 0.5  # seconds for a farewell
Reply = tuple[dns.message.Message, float]  # and when it came, epoch seconds
_TIMESTAMPNS = 35  # Linux: SO_TIMESTAMPNS, SCM_TIMESTAMPNS
_TIMESPEC = struct.Struct("qq")


class ServerError(Exception):
    """A server that cannot be asked at all."""


class Target(Struct, frozen=True):
    """Who is asked, and how."""

    host: str  # address
    port: int
    transport: Transport = "udp"
    source: str = ""  # address that is asked from
    timeout: float = 2.0  # seconds for one try
    tries: int = 2
    tls: ssl.SSLContext | None = None
    tls_name: str = ""

    @property
    def text(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}"


class Came(Struct, frozen=True):
    """What came back; `seconds` from the first sending, connecting aside."""

    found: Found
    seconds: float
    tries: int


def resolve(server: str, transport: Transport) -> tuple[str, int, str]:
    """`ADDRESS`, `NAME`, with `:PORT` or without → (address, port, name). ServerError."""
    host, port = _split(server)
    try:
        found = socket.getaddrinfo(host, port or PORTS[transport], type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise ServerError(
            f"{server!r} is no address, and no name that is known: {error}"
        ) from error
    address, number = found[0][4][:2]
    return str(address), int(number), host


def _split(server: str) -> tuple[str, int]:
    if server.startswith("["):
        host, closing, rest = server[1:].partition("]")
        port = rest.removeprefix(":") if closing else "none"
    elif server.count(":") == 1:
        host, port = server.split(":")
    else:
        host, port = server, ""
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ServerError(f"{server!r} is not ADDRESS:PORT such as 127.0.0.1:53 or [::1]:53")
    return host, int(port or 0)


def trust(authorities: Path | None, anybody: bool) -> ssl.SSLContext:
    """Whose certificates are taken. ServerError."""
    try:
        context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    except (OSError, ssl.SSLError) as error:
        raise ServerError(f"{authorities}: {error.strerror or error}") from error
    if anybody:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Client:
    """Asks one question at a time; `close()` at the end."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream[1].close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSING):
                    await stream[1].wait_closed()
            stream[1].transport.abort()

    async def ask(self, case: Case) -> Came:
        """Whatever happens is what is found."""
        target, begun = self._target, 0.0
        problem = ""
        for number in range(1, target.tries + 1):
            query = _query(case)
            try:
                async with asyncio.timeout(target.timeout):
                    is_kept = self._stream is not None
                    if target.transport != "udp":
                        await self._connect()
                    begun = begun or time.time()
                    reply, ended = await self._reply(query, is_kept)
                    return Came(_found(reply), max(ended - begun, 0.0), number)
            except TimeoutError:
                problem = f"no answer within {target.timeout:g} s"
            except (OSError, EOFError) as error:
                problem = f"no answer: {_why(error)}"
            except dns.exception.DNSException as error:
                problem = f"an answer that cannot be read: {error}"
            await self.close()
        return Came(Found(problem=problem), time.time() - begun if begun else 0.0, target.tries)

    async def _reply(self, query: dns.message.Message, is_kept: bool) -> Reply:
        if self._target.transport == "udp":
            reply = await self._by_datagram(query)
            if not reply[0].flags & dns.flags.TC:
                return reply
            await self._connect()
        try:
            return await self._by_stream(query)
        except (OSError, EOFError):
            if not is_kept:
                raise
        await self.close()  # a server may close what it kept open at any time
        await self._connect()
        return await self._by_stream(query)

    async def _by_datagram(self, query: dns.message.Message) -> Reply:
        target = self._target
        family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sending:  # a port of its own each time
            sending.setblocking(False)
            _stamp(sending)
            if target.source:
                sending.bind((target.source, 0))
            sending.connect((target.host, target.port))
            sending.send(query.to_wire())
            while True:
                data, came = await _datagram(sending)
                reply = _reply_to(query, data)
                if reply is not None:  # else it is a stranger's, or late
                    return reply, came

    async def _connect(self) -> None:
        if self._stream is not None:
            return
        target = self._target
        by_tls = target.transport == "tls"
        self._stream = await asyncio.open_connection(
            target.host,
            target.port,
            local_addr=(target.source, 0) if target.source else None,
            ssl=target.tls if by_tls else None,
            server_hostname=target.tls_name if by_tls else None,
        )

    async def _by_stream(self, query: dns.message.Message) -> Reply:
        assert self._stream is not None
        reader, writer = self._stream
        wire = query.to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        while True:
            length = int.from_bytes(await reader.readexactly(2))
            data, came = await reader.readexactly(length), time.time()
            reply = _reply_to(query, data)
            if reply is not None:
                return reply, came


def _why(error: OSError | EOFError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, OSError):
        return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return "the connection was closed"


def _stamp(sending: socket.socket) -> None:
    """The kernel notes when a datagram comes, however busy we are: what waits here is none of the server's latency."""
    with suppress(OSError):  # elsewhere than on Linux we note it
        sending.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)


async def _datagram(sending: socket.socket) -> tuple[bytes, float]:
    """The next one, and when it came (epoch seconds)."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            data, notes, *_ = sending.recvmsg(65_535, socket.CMSG_SPACE(_TIMESPEC.size))
        except BlockingIOError:
            readable = loop.create_future()
            loop.add_reader(sending, _settle, readable)
            try:
                await readable
            finally:
                loop.remove_reader(sending)
            continue
        for level, kind, note in notes:
            if (level, kind, len(note)) == (socket.SOL_SOCKET, _TIMESTAMPNS, _TIMESPEC.size):
                seconds, nanoseconds = _TIMESPEC.unpack(note)
                return data, seconds + nanoseconds * 1e-9
        return data, time.time()


def _settle(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


def _query(case: Case) -> dns.message.Message:
    options: list[dns.edns.Option] = []
    if net := case.subnet:
        options.append(dns.edns.ECSOption(str(net.network_address), net.prefixlen))
    return dns.message.make_query(
        case.name, case.qtype, use_edns=0, payload=PAYLOAD, options=options
    )


def _reply_to(query: dns.message.Message, data: bytes) -> dns.message.Message | None:
    """None for what is no answer to it; DNSException for an answer that is broken."""
    if int.from_bytes(data[:2]) != query.id:
        return None
    reply = dns.message.from_wire(data, ignore_trailing=False, raise_on_truncation=False)
    return reply if query.is_response(reply) else None


def _found(reply: dns.message.Message) -> Found:
    records = tuple(
        Record(dns.rdatatype.to_text(rrset.rdtype), rdata.to_text(), rdata.to_digestable())
        for rrset in reply.answer
        for rdata in rrset
    )
    ede = tuple(
        (int(option.code), option.text or "")
        for option in reply.options
        if isinstance(option, dns.edns.EDEOption)
    )
    return Found(dns.rcode.to_text(reply.rcode()), records, ede)
