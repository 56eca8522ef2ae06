"""Servers brought up for a run: started on the server core, ready when they block a listed name, ended at the end."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode

from bench import peers, processes
from bench.names import NameFiles
from bench.processes import HOST, LOAD_CORE, SERVER_CORE, BenchError, Process
from bench.server import Place, Server

READY_LIMIT = 180.0  # seconds
PROBE_EVERY = 0.01  # seconds: the grain of every start time
UNLISTED = "www.example.org"
Reply = tuple[str, tuple[str, ...]]  # rcode and addresses


@dataclass(frozen=True)
class RunningServer:
    server: Server
    place: Place
    process: Process
    ready: float  # seconds from the start to the first blocked answer

    @property
    def name(self) -> str:
        return self.server.name

    @property
    def port(self) -> int:
        return self.place.port


@contextmanager
def world(folder: Path) -> Iterator[int]:
    """The port of an authoritative server on the load core; in the warm workloads nobody asks it."""
    port = processes.free_port()
    folder.mkdir(parents=True, exist_ok=True)
    process = processes.start("nsd", peers.world_command(folder, port), folder, LOAD_CORE)
    try:
        _wait(process, port, UNLISTED, is_resolved)
        yield port
    finally:
        process.stop()


def bring_up(server: Server, folder: Path, names: NameFiles, world_port: int) -> RunningServer:
    """Start a server and wait until it blocks a listed name and resolves one that is not listed."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Place(folder, processes.free_port(), names, world_port)
    command = server.command(place)
    begun = time.monotonic()
    process = processes.start(server.name, command, folder, SERVER_CORE)
    try:
        if server.has_list:
            _wait(process, place.port, names.sample, partial(is_blocked, rcode=server.blocked))
        ready = time.monotonic() - begun
        _wait(process, place.port, UNLISTED, is_resolved)
        ready = ready if server.has_list else time.monotonic() - begun
        process.check_pinned(SERVER_CORE)
    except BaseException:
        process.stop()
        raise
    return RunningServer(server, place, process, ready)


def ask(port: int, name: str, timeout: float = 2.0) -> Reply | None:
    """What the server says to `name A`; None when nothing came."""
    query = dns.message.make_query(name, "A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        sock.settimeout(timeout)
        try:
            sock.send(query.to_wire())
            answer = dns.message.from_wire(sock.recv(4096))
        except (OSError, dns.exception.DNSException):
            return None
    found = [str(item) for group in answer.answer for item in group]
    return dns.rcode.to_text(answer.rcode()), tuple(found)


def is_blocked(answer: Reply | None, rcode: str) -> bool:
    """NXDOMAIN, or NOERROR with the null address: what the server says to a listed name."""
    if answer is None or answer[0] != rcode:
        return False
    return rcode == "NXDOMAIN" or "0.0.0.0" in answer[1]


def is_resolved(answer: Reply | None) -> bool:
    return answer == ("NOERROR", (peers.WORLD_ADDRESS,))


def _wait(process: Process, port: int, name: str, is_ready: Callable[[Reply | None], bool]) -> None:
    deadline, answer = time.monotonic() + READY_LIMIT, None
    while time.monotonic() < deadline:
        process.check()
        answer = ask(port, name, timeout=0.2)
        if is_ready(answer):
            return
        time.sleep(PROBE_EVERY)
    raise BenchError(f"{process.name} was not ready in {READY_LIMIT:.0f} s; last answer {answer}")
