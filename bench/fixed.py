"""A server that looks nothing up: the same answer to every query, by the batch. What it reaches is what this load
generator and this kernel can measure, so a ratio that would lie above it cannot be seen here.

Run as `python fixed.py PORT`, with the product's C helper for many datagrams at a time.
"""

import os
import select
import socket
import sys
from functools import partial
from pathlib import Path

from bench.peers import WORLD_ADDRESS
from bench.processes import BUFFER, HOST
from bench.server import Place, Server
from namewarden.net import datagrams

HEADER = bytes.fromhex("8180 0001 0001 0000 0000")  # behind the id: an answer with one record
RECORD = bytes.fromhex("c00c 0001 0001 0000003c 0004") + socket.inet_aton(WORLD_ADDRESS)
MANY = datagrams.MOST
LONGEST = 512


def command(place: Place) -> list[str]:
    root = str(Path(__file__).resolve().parent.parent)
    paths = os.pathsep.join([root, *sys.path])
    return ["env", f"PYTHONPATH={paths}", sys.executable, "-m", "bench.fixed", str(place.port)]


FIXED = Server(
    "fixed-answer", "NOERROR", command, partial(str, "fixed answer"), str, has_list=False
)


def serve(bound: socket.socket) -> None:
    batch = datagrams.choose(os.environ, bound)
    ready = select.epoll()
    ready.register(bound, select.EPOLLIN)
    while True:
        ready.poll()
        batch.send_many(
            bound,
            [
                (data[:2] + HEADER + data[12:] + RECORD, address)
                for data, address in batch.recv_many(bound, MANY, LONGEST)
            ],
        )


def main(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        bound.bind((HOST, port))
        bound.setblocking(False)
        serve(bound)


if __name__ == "__main__":
    main(int(sys.argv[1]))
