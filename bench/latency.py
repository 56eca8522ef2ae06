"""What a cache miss costs: new names at a fixed rate, asked of the upstream directly and through a server.

An open loop: a query leaves when its time has come, whether or not earlier ones were answered, so a
slow server cannot slow the asking down. Arrival times are those of many independent clients (Poisson).
"""

import random
import select
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.processes import BUFFER, HOST, BenchError

GRACE = 2.0  # seconds to wait for the last answers
HEADER = struct.Struct("!HHHHHH")
TAIL = struct.pack("!HH", 1, 1)  # A, IN


@dataclass(frozen=True)
class Latencies:
    """Seconds from sending to receiving, sorted; how many were sent, and how many came from the upstream."""

    seconds: tuple[float, ...]
    sent: int
    resolved: int

    def quantile(self, share: float) -> float:
        """Of all that was sent: a lost query counts as one that took for ever."""
        place = min(int(share * self.sent), self.sent - 1)
        return self.seconds[place] if place < len(self.seconds) else float("inf")


def question(name: str) -> bytes:
    labels = name.rstrip(".").split(".")
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0" + TAIL


def measure(port: int, names: Sequence[str], rate: float, seed: int = 1) -> Latencies:
    """Ask each name once, at `rate` names a second on average."""
    if len(names) > 65_536:
        raise BenchError("at most 65,536 names in one measurement: fewer seconds, or a lower rate")
    packets = [HEADER.pack(i, 0x0100, 1, 0, 0, 0) + question(name) for i, name in enumerate(names)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        sock.connect((HOST, port))
        sock.setblocking(False)
        sent, received = [0.0] * len(packets), {}
        for number, due in enumerate(_arrivals(len(packets), rate, seed)):
            received.update(_receive_until(sock, due, len(packets)))
            sent[number] = time.perf_counter()
            _send(sock, packets[number])
        received.update(
            _receive_until(sock, time.perf_counter() + GRACE, len(packets) - len(received))
        )
    took = sorted(at - sent[number] for number, (at, _) in received.items())
    return Latencies(tuple(took), len(packets), sum(answers for _, answers in received.values()))


def _send(sock: socket.socket, packet: bytes) -> None:
    """A full buffer or an ICMP error of an earlier query: the query stays unanswered, which is what counts."""
    with suppress(OSError):
        sock.send(packet)


def _arrivals(count: int, rate: float, seed: int) -> list[float]:
    dice, at, due = random.Random(seed), time.perf_counter() + 0.01, []
    for _ in range(count):
        at += dice.expovariate(rate)
        due.append(at)
    return due


def _receive_until(sock: socket.socket, due: float, wanted: int) -> dict[int, tuple[float, bool]]:
    """Answers by id: when each came, and whether the upstream's address is in it. Ends at `due`, or with all."""
    got: dict[int, tuple[float, bool]] = {}
    while (left := due - time.perf_counter()) > 0 and len(got) < wanted:
        if not select.select([sock], [], [], left)[0]:
            break
        try:
            data = sock.recv(4096)
        except OSError:  # ICMP from a closed port: that query stays unanswered
            continue
        got[data[0] << 8 | data[1]] = (time.perf_counter(), data.endswith(b"\xc0\x00\x02\x01"))
    return got
