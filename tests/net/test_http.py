"""HTTP as it comes over the network: in pieces, many requests at once, old, odd and hostile."""

import asyncio
import socket
from http import HTTPStatus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from namewarden.net.http import HttpError, HttpServer, Limits, Reply, Request, read_head


async def echo(request: Request) -> Reply:
    """Says what it was asked; /silent reads no body."""
    body = b"" if request.path == "/silent" else await request.body(64)
    return HTTPStatus.OK, request.method + b" " + request.path.encode() + b" " + body, (("X", "1"),)


@pytest.fixture
async def said():
    """Pieces in, one after the other; all out until the server hangs up or `quiet` seconds pass."""
    bound = socket.create_server(("127.0.0.1", 0))
    server = HttpServer([bound], echo, Limits(idle=0.5, seconds=0.5))
    await server.start()

    async def say(*pieces: bytes, quiet: float = 2.0) -> bytes:
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.001)
        found = bytearray()
        try:
            while data := await asyncio.wait_for(reader.read(4096), quiet):
                found += data
        finally:
            writer.close()
            await writer.wait_closed()
        return bytes(found)

    yield say
    server.stop()


ASKED = b"POST /x HTTP/1.1\r\nHost: y\r\nContent-Length: 3\r\n\r\nabc"


def bodies(data: bytes) -> list[bytes]:
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nX: 1" in head
        length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        found.append(rest[:length])
        data = rest[length:]
    return found


async def test_octet_by_octet(said):
    pieces = [ASKED[at : at + 1] for at in range(len(ASKED))]
    assert bodies(await said(*pieces)) == [b"POST /x abc"]


async def test_many_requests_in_one_piece(said):
    assert bodies(await said(ASKED * 5)) == [b"POST /x abc"] * 5


async def test_who_says_that_it_closes_is_believed(said):
    last = ASKED.replace(b"Host", b"Connection: Close\r\nHost")
    reply = await said(last + ASKED, quiet=0.3)
    assert bodies(reply) == [b"POST /x abc"] and b"Connection: close" in reply


async def test_an_old_client_gets_one_reply(said):
    reply = await said(b"POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n" + ASKED, quiet=0.3)
    assert bodies(reply) == [b"POST / "] and b"Connection: close" in reply


async def test_a_body_that_nobody_read_ends_the_connection(said):
    reply = await said(ASKED.replace(b"/x", b"/silent") + ASKED, quiet=0.3)
    assert bodies(reply) == [b"POST /silent "] and b"Connection: close" in reply


async def test_a_reply_to_head_has_no_body(said):
    reply = await said(b"HEAD /silent HTTP/1.1\r\nHost: x\r\n\r\n", quiet=2)
    assert reply.endswith(b"\r\n\r\n") and b"Content-Length: 13" in reply


async def test_who_asks_first_whether_it_may_send_its_body_is_told_so(said):
    head, body = ASKED.replace(b"Host", b"Expect: 100-Continue\r\nHost").split(b"abc")[0], b"abc"
    assert (await said(head, body)).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    assert (await said(head + body)).startswith(b"HTTP/1.1 200 "), "it did not wait"


async def test_a_client_that_stops_half_way_is_let_go(said):
    for part in (b"", b"POST", ASKED[:-1]):
        assert await said(part) == b""


@pytest.mark.parametrize(
    "head",
    [
        b"POST  / HTTP/1.1\r\nHost: x",
        b"post / HTTP/1.1\r\nHost: x",
        b"POST x HTTP/1.1\r\nHost: x",
        b"POST / HTTP/2.0\r\nHost: x",
        b"POST / HTTP/1.1",
        b"POST / HTTP/1.1\r\nHost: x\r\nHost: y",
        b"POST / HTTP/1.1\r\nHost: x\r\n folded",
        b"POST / HTTP/1.1\r\nHost : x",
        b"POST / HTTP/1.1\r\nHost: x\nX: y",
        b"POST / HTTP/1.1\r\nHost: x\r\nX: a\x00b",
        b"POST / HTTP/1.1\r\nHost: x\r\nno colon",
        b"POST / HTTP/1.1\r\nHost: x\r\n: y",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 2",
        b"POST / HTTP/1.1\r\nHost: x" + b"\r\nX: y" * 100,
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(head):
    with pytest.raises(HttpError) as refused:
        read_head(head)
    assert refused.value.status == 400


@given(st.binary(max_size=200))
@example(b"GET / HTTP/1.1\r\nHost: x\r\nX:" + b" " * 10_000 + b"\x01")
def test_anything_is_a_head_or_refused(octets):
    for whole in (octets, b"GET / HTTP/1.1\r\nHost: x\r\n" + octets):
        try:
            head = read_head(whole)
        except HttpError:
            continue
        assert head.target.startswith(b"/") and head.fields.keys() <= {
            name.lower() for name in head.fields
        }
