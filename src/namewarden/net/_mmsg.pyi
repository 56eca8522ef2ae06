"""What the C helper offers; `batch.py` has the same in Python."""

import socket

from namewarden.net.datagrams import Datagram

def recv_many(sock: socket.socket, most: int, size: int, /) -> list[Datagram]: ...
def send_many(sock: socket.socket, datagrams: list[Datagram], /) -> int: ...
