"""Only checked addresses are connected to, and only those."""

import asyncio
import ipaddress
import socket

import httpcore
import pytest

from namewarden.hub.subscriptions.connect import CheckedBackend, is_public
from namewarden.hub.subscriptions.errors import DownloadError


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_addresses_of_the_internet_are_public(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "255.255.255.255", "224.0.0.1", "239.255.255.250", "240.0.0.1", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "fec0::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::c0a8:101", "64:ff9b:1::808:808",
        "::127.0.0.1", "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:808:808:0:0:f5ff:fffe",
        "192.0.0.8", "192.0.0.10", "192.88.99.1", "3fff::1",
    ],
)  # fmt: skip
def test_all_else_is_not_however_it_is_wrapped(text):
    assert not is_public(ipaddress.ip_address(text))


def looking_up(*addresses):
    asked = []

    async def lookup(name):
        asked.append(name)
        return addresses

    return lookup, asked


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "localhost", "x.localhost", "lists.example.org"]
)
async def test_a_private_address_is_refused_after_resolution(host):
    lookup, asked = looking_up("127.0.0.1", "::1")
    with pytest.raises(DownloadError, match="allow_private"):
        await CheckedBackend(lookup, allow_private=False).connect_tcp(host, 80, 1.0)
    assert asked == (["lists.example.org."] if "example" in host else [])


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "127.0.0.1.", "a b", ""])
async def test_other_spellings_of_addresses_are_names_or_nothing(host):
    """The C library would read them as addresses; it is never asked."""
    lookup, asked = looking_up("127.0.0.1")
    with pytest.raises(DownloadError):
        await CheckedBackend(lookup, allow_private=False).connect_tcp(host, 80, 1.0)


async def test_of_several_addresses_private_ones_are_left_out_and_the_first_that_answers_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.socket() as closed:
            closed.bind(("127.0.0.2", 0))
            lookup, _ = looking_up("127.0.0.2", "127.0.0.1")
            stream = await CheckedBackend(lookup, True).connect_tcp("lists.example.org", port, 2.0)
            assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
            await stream.aclose()


async def test_who_has_no_address_is_told():
    lookup, _ = looking_up()
    with pytest.raises(DownloadError, match="has no address"):
        await CheckedBackend(lookup, True).connect_tcp("lists.example.org", 80, 1.0)

    async def fails(name):
        raise OSError("no address of it: timeout")

    with pytest.raises(DownloadError, match="timeout"):
        await CheckedBackend(fails, True).connect_tcp("lists.example.org", 80, 1.0)


async def test_nobody_listens():
    lookup, _ = looking_up("127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore.ConnectError):
            async with asyncio.timeout(2):
                await CheckedBackend(lookup, True).connect_tcp(
                    "x.example.org", closed.getsockname()[1], 1.0
                )


async def test_the_last_address_that_refused_is_told():
    lookup, _ = looking_up("127.0.0.1")
    with socket.socket() as held:  # bound and not listening: nobody else gets the port
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(
            httpcore.ConnectError, match=f"127.0.0.1 port {port}: Connection refused"
        ):
            await CheckedBackend(lookup, allow_private=True).connect_tcp(
                "lists.example.org", port, 1.0
            )
