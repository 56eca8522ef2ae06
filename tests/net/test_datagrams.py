"""Both twins, the C helper and the plain functions, against the same tests on real sockets."""

import importlib.util
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from namewarden.net import datagrams
from namewarden.net.datagrams import DatagramIO

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
HAS_HELPER = importlib.util.find_spec("namewarden.net._mmsg") is not None
needs_helper = pytest.mark.skipif(
    not HAS_HELPER, reason="the C helper was not built (no compiler?)"
)
ENVIRONS = [
    pytest.param({}, id="mmsg", marks=needs_helper),
    pytest.param({"NAMEWARDEN_PURE": "1"}, id="plain"),
]


def bound(family: socket.AddressFamily, host: str | None = None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((host or LOOPBACK[family], 0))
    sock.setblocking(False)
    return sock


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    with bound(request.param) as sock:
        yield sock


@pytest.fixture
def client(server: socket.socket) -> Iterator[socket.socket]:
    with bound(server.family) as sock:
        sock.settimeout(5)
        sock.connect(server.getsockname())
        yield sock


@pytest.fixture(params=ENVIRONS)
def twin(request: pytest.FixtureRequest, server: socket.socket) -> DatagramIO:
    return datagrams.choose(request.param, server)


def test_the_helper_is_chosen_unless_told_otherwise(server):
    assert datagrams.choose({"NAMEWARDEN_PURE": "1"}, server).name == "plain"
    assert datagrams.choose({}, server).name == ("mmsg" if HAS_HELPER else "plain")


def test_nothing_there_is_an_empty_list(twin, server):
    assert twin.recv_many(server, 64, 4096) == []


def test_datagrams_come_in_order_with_their_address(twin, server, client):
    for number in range(5):
        client.send(b"query %d" % number)
    got = twin.recv_many(server, 64, 4096)
    assert [data for data, _ in got] == [b"query %d" % number for number in range(5)]
    assert datagrams.host_text(got[0][1][0]) == client.getsockname()[0]


def test_no_more_than_asked_for(twin, server, client):
    for _ in range(5):
        client.send(b"x")
    assert len(twin.recv_many(server, 3, 4096)) == 3
    assert len(twin.recv_many(server, 3, 4096)) == 2


def test_addresses_compare_by_host_and_port(twin, server, client):
    with bound(server.family) as other:
        for sock in (client, client, other):
            sock.sendto(b"x", server.getsockname()) if sock is other else sock.send(b"x")
        first, again, third = (address for _, address in twin.recv_many(server, 64, 4096))
    assert first == again and hash(first) == hash(again)
    assert first != third
    assert first[0] == third[0] and len({first[0], third[0]}) == 1


def test_answers_reach_who_asked(twin, server, client):
    with bound(server.family) as other:
        other.settimeout(5)
        client.send(b"a")
        other.sendto(b"b", server.getsockname())
        got = twin.recv_many(server, 64, 4096)
        assert twin.send_many(server, [(data * 2, address) for data, address in got]) == 2
        assert client.recv(100) == b"aa" and other.recv(100) == b"bb"


def test_an_empty_datagram_is_one(twin, server, client):
    client.send(b"")
    got = twin.recv_many(server, 64, 4096)
    assert [data for data, _ in got] == [b""]
    assert twin.send_many(server, got) == 1
    assert client.recv(100) == b""


def test_the_longest_datagram_goes_both_ways(twin, server, client):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 400_000)
    longest = bytes(range(256)) * 255 + bytes(227)
    assert len(longest) == 65_507
    client.send(longest)
    got = twin.recv_many(server, 64, 65_535)
    assert [data for data, _ in got] == [longest]
    assert twin.send_many(server, got) == 1
    assert client.recv(70_000) == longest


def test_a_longer_datagram_than_wanted_is_cut(twin, server, client):
    client.send(bytes(5000))
    client.send(b"next")
    assert [len(data) for data, _ in twin.recv_many(server, 64, 512)] == [512, 4]


def test_sizes_may_change_from_call_to_call(twin, server, client):
    for size in (16, 65_535, 16, 4096):
        client.send(b"x" * 16)
        assert [data for data, _ in twin.recv_many(server, 64, size)] == [b"x" * 16]


def test_more_than_one_system_call_takes_are_sent(twin, server, client):
    client.send(b"x")
    ((_, address),) = twin.recv_many(server, 1, 16)
    assert twin.send_many(server, [(b"%d" % n, address) for n in range(150)]) == 150
    assert [client.recv(16) for _ in range(150)] == [b"%d" % n for n in range(150)]


def test_nothing_to_send(twin, server):
    assert twin.send_many(server, []) == 0


def test_one_refused_datagram_does_not_hold_up_the_others(twin, server, client):
    client.send(b"x")
    ((_, address),) = twin.recv_many(server, 1, 16)
    answers = [(b"first", address), (bytes(70_000), address), (b"last", address)]
    assert twin.send_many(server, answers) == 2
    assert [client.recv(100), client.recv(100)] == [b"first", b"last"]


def test_a_client_that_is_gone_does_no_harm(twin, server, client):
    client.send(b"x")
    ((_, address),) = twin.recv_many(server, 1, 16)
    client.close()
    for _ in range(3):
        assert twin.send_many(server, [(b"x", address), (b"y", address)]) <= 2
        assert twin.recv_many(server, 64, 4096) == []


@pytest.mark.parametrize("environ", ENVIRONS)
def test_a_full_buffer_stops_and_says_how_far(environ, tmp_path):
    """A Unix socket that nobody reads fills for certain; UDP on loopback hardly ever does."""
    with unix(tmp_path / "server") as server, unix(tmp_path / "client") as client:
        twin = datagrams.choose(environ, server)
        client.sendto(b"x", str(tmp_path / "server"))
        ((_, address),) = twin.recv_many(server, 1, 16)
        sent = twin.send_many(server, [(b"%d" % n, address) for n in range(2000)])
        assert 0 < sent < 2000
        assert twin.send_many(server, [(b"more", address)]) == 0
        assert [client.recv(16) for _ in range(sent)] == [b"%d" % n for n in range(sent)]
        with pytest.raises(BlockingIOError):
            client.recv(16)


def unix(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    sock.setblocking(False)
    return sock


@pytest.mark.parametrize("environ", ENVIRONS)
def test_an_interface_that_is_gone_costs_one_datagram(environ):
    with bound(socket.AF_INET6, "::") as server, bound(socket.AF_INET6) as client:
        twin = datagrams.choose(environ, server)
        client.sendto(b"x", ("::1", server.getsockname()[1]))
        ((_, (host, peer, control)),) = twin.recv_many(server, 1, 16)
        nowhere = (0x7FFFFFF0).to_bytes(4, "little")
        gone: Any
        if isinstance(control, bytes):
            gone = control[:-4] + nowhere
        else:
            gone = [(level, kind, info[:-4] + nowhere) for level, kind, info in control]
        answers = [(b"first", (host, peer, gone)), (b"last", (host, peer, control))]
        assert twin.send_many(server, answers) == 1
        client.settimeout(5)
        assert client.recv(16) == b"last"


@pytest.mark.skipif(os.geteuid() != 0, reason="a forged source port needs root")
@pytest.mark.parametrize("environ", ENVIRONS)
def test_a_client_that_pretends_to_be_port_0_does_no_harm(environ):
    with (
        bound(socket.AF_INET) as server,
        bound(socket.AF_INET) as client,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as forger,
    ):
        twin = datagrams.choose(environ, server)
        port = server.getsockname()[1]
        forger.sendto(struct.pack("!HHHH", 0, port, 9, 0) + b"x", ("127.0.0.1", 0))
        client.sendto(b"y", server.getsockname())
        got = twin.recv_many(server, 64, 512)
        assert [data for data, _ in got] == [b"x", b"y"]
        assert twin.send_many(server, got) == 1
        client.settimeout(5)
        assert client.recv(16) == b"y"


@pytest.mark.parametrize(
    "most, size", [(0, 512), (65, 512), (-1, 512), (1, 0), (1, 65_536), (1, -5)]
)
def test_senseless_numbers_are_refused(twin, server, most, size):
    with pytest.raises(ValueError, match="1 to 64 datagrams"):
        twin.recv_many(server, most, size)


@pytest.mark.parametrize(
    "datagrams",
    [
        None,
        5,
        "text",
        b"octets",
        ((b"", ("", "")),),
        [None],
        [5],
        [(b"x", None)],
        [("text", ("h", "p"))],
    ],
    ids=repr,
)
def test_senseless_datagrams_are_refused(twin, server, datagrams):
    with pytest.raises(TypeError):
        twin.send_many(server, datagrams)


@pytest.mark.parametrize("arguments", [(), (1,), ("s", 1, 1), (None, 1, 1), (1.5, 1, 1)], ids=repr)
def test_senseless_arguments_are_refused(twin, arguments):
    with pytest.raises((TypeError, AttributeError)):
        twin.recv_many(*arguments)
    with pytest.raises((TypeError, AttributeError)):
        twin.send_many(*arguments)


def test_a_closed_socket_is_an_error(twin, server, client):
    server.close()
    with pytest.raises((OSError, ValueError)):
        twin.recv_many(server, 1, 512)


@needs_helper
@pytest.mark.parametrize(
    "address",
    [
        (),
        (b"",),
        (b"", "peer"),
        (b"", bytes(500)),
        (b"", b"", b"", b""),
        (b"", b"", bytes(500)),
        (b"", b"", "c"),
    ],
    ids=repr,
)
def test_the_helper_refuses_addresses_it_did_not_make(address):
    with bound(socket.AF_INET) as sock, pytest.raises(TypeError):
        datagrams.choose({}, sock).send_many(sock, [(b"x", address)])


@needs_helper
@pytest.mark.parametrize(
    "peer", [b"\x02", b"\x02\x00", bytes(16), bytes(28), b"\xff" * 28, b"\xff" * 128]
)
@pytest.mark.parametrize("control", [b"", bytes(16), b"\xff" * 40, b"\x1c" + bytes(39)])
def test_the_helper_survives_forged_addresses(peer, control):
    with bound(socket.AF_INET) as sock:
        try:
            assert datagrams.choose({}, sock).send_many(sock, [(b"x", (b"", peer, control))]) in (
                0,
                1,
            )
        except OSError:
            pass


@pytest.mark.parametrize("environ", ENVIRONS)
@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.53", "127.200.1.9"])
def test_a_wildcard_socket_answers_from_where_it_was_asked(environ, asked):
    with bound(socket.AF_INET, "0.0.0.0") as server, bound(socket.AF_INET) as client:
        twin = datagrams.choose(environ, server)
        client.settimeout(5)
        client.connect((asked, server.getsockname()[1]))
        client.send(b"q")
        client.send(b"q")
        got = twin.recv_many(server, 64, 512)
        assert got[0] == got[1]
        assert twin.send_many(server, got) == 2
        assert client.recv(10) == b"q"


@pytest.mark.parametrize("environ", ENVIRONS)
@pytest.mark.parametrize("asked", ["::1", "::ffff:127.0.0.53"])
def test_a_wildcard_socket_of_both_families(environ, asked):
    with bound(socket.AF_INET6, "::") as server, bound(socket.AF_INET6, "::") as client:
        server_port = server.getsockname()[1]
        twin = datagrams.choose(environ, server)
        client.settimeout(5)
        client.connect((asked, server_port))
        client.send(b"q")
        got = twin.recv_many(server, 64, 512)
        assert datagrams.host_text(got[0][1][0]) in ("::1", "::ffff:127.0.0.1")
        assert twin.send_many(server, got) == 1
        assert client.recv(10) == b"q"
