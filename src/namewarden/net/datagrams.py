"""Many datagrams at a time: by the C helper where it was built, else by these plain functions.

Both give and take `(data, address)`. `address[0]` tells one host from another and is hashable; the rest is
opaque, but equal for datagrams of one host and port. Neither ever waits.
"""

import errno
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from namewarden import native

MOST = 64  # datagrams of one system call
LONGEST = 65_535  # octets of a datagram
_IP_PKTINFO = 8  # linux/in.h; the socket module has no name for it
_CONTROL = socket.CMSG_SPACE(20)  # struct in6_pktinfo

Host = str | bytes
Address = tuple[
    Any, ...
]  # (host, socket address), or with the control data that a wildcard socket needs
Datagram = tuple[bytes, Address]

# All other errors are one datagram's, or an earlier one's that ICMP spoke about: a network that is gone, a client that
# pretends to ask from port 0. The next datagram may fare better.
_FULL = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS}


class DatagramIO(NamedTuple):
    """One of the twins."""

    name: str  # "mmsg" | "plain"
    recv_many: Callable[[socket.socket, int, int], list[Datagram]]
    send_many: Callable[[socket.socket, list[Datagram]], int]


def choose(environ: Mapping[str, str], sock: socket.socket) -> DatagramIO:
    """The C helper, unless it is missing or NAMEWARDEN_PURE=1.

    A socket bound to all addresses will answer from the one it was asked at.
    """
    is_wildcard = _keep_asked_address(sock)
    plain = DatagramIO(
        "plain", partial(_recv_many, _recv_asked) if is_wildcard else recv_many, send_many
    )
    helper = native.load("namewarden.net._mmsg", environ)
    if helper is None:
        return plain
    return DatagramIO("mmsg", helper.recv_many, helper.send_many)


def recv_many(sock: socket.socket, most: int, size: int) -> list[Datagram]:
    """What has arrived, at most `most` (1 to 64) datagrams, each cut at `size` octets; empty when nothing has."""
    return _recv_many(_recv, sock, most, size)


def send_many(sock: socket.socket, datagrams: list[Datagram]) -> int:
    """How many were sent. The others are lost: refused one by one, or the socket's buffer was full."""
    if not isinstance(datagrams, list):
        raise TypeError("send_many takes a list of (data, address)")
    sent = 0
    for data, address in datagrams:
        try:
            _send(sock, data, address)
        except OSError as error:
            if error.errno in _FULL:
                break
            if error.errno == errno.EBADF:
                raise
        else:
            sent += 1
    return sent


def _recv_many(
    receive: Callable[[socket.socket, int], Datagram], sock: socket.socket, most: int, size: int
) -> list[Datagram]:
    if not (1 <= most <= MOST and 1 <= size <= LONGEST):
        raise ValueError(f"1 to {MOST} datagrams of 1 to {LONGEST} octets")
    datagrams: list[Datagram] = []
    for _ in range(most):
        try:
            datagrams.append(receive(sock, size))
        except OSError as error:
            if error.errno in _FULL:
                break
            if error.errno == errno.EBADF:
                raise
    return datagrams


def _recv(sock: socket.socket, size: int) -> Datagram:
    data, peer = sock.recvfrom(size, socket.MSG_DONTWAIT)
    return data, (peer[0], peer)


def _recv_asked(sock: socket.socket, size: int) -> Datagram:
    """With the control data that lets the answer leave from the address that was asked."""
    data, control, _, peer = sock.recvmsg(size, _CONTROL, socket.MSG_DONTWAIT)
    kept = [(level, kind, _unbound(level, info)) for level, kind, info in control]
    return data, (peer[0], peer, kept)


def _send(sock: socket.socket, data: bytes, address: Address) -> None:
    if len(address) == 2:
        sock.sendto(data, socket.MSG_DONTWAIT, address[1])
    else:
        sock.sendmsg([data], address[2], socket.MSG_DONTWAIT, address[1])


def _unbound(level: int, info: bytes) -> bytes:
    """struct in_pktinfo without its interface: routing picks it. IPv6 keeps it, for link-local addresses."""
    return bytes(4) + info[4:] if level == socket.IPPROTO_IP else info


def _keep_asked_address(sock: socket.socket) -> bool:
    """Whether the socket is bound to all addresses; then the kernel is told to say which one was asked."""
    is_wildcard = sock.getsockname()[0] in ("0.0.0.0", "::")
    if is_wildcard and sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    elif is_wildcard:
        sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    return is_wildcard


def host_text(host: Host) -> str:
    """`address[0]` as IP address text."""
    if isinstance(host, str):
        return host
    return socket.inet_ntop(socket.AF_INET if len(host) == 4 else socket.AF_INET6, host)
