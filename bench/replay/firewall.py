"""The product with its defaults in front of a world in which every name has an address, and its event log."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from bench import processes, testbed
from bench.processes import HOST, BenchError, Process
from namewarden.hub.client import HubClient, HubError

READY_LIMIT = 120.0  # seconds: the guard list is made at the first start
DRAIN_LIMIT = 60.0
CONFIG = """
schema_version = 1
data_dir = "{folder}/var"

[dns]
listen = ["{host}:{port}"]

[upstream]
servers = ["udp://{host}:{world}"]

[hub]
listen = "{host}:{hub}"

[verdict]
listen = ""
"""


class LoggedEvent(Struct, frozen=True):
    """Of an event what is counted here."""

    name: str
    time: float
    action: str
    reason: str
    status: str
    score: float | None
    band: str
    model: str
    duration: float
    count: int


class Firewall:
    """A running product: where it is asked, and what its log says."""

    def __init__(self, folder: Path, port: int, process: Process) -> None:
        self.port = port
        self.process = process
        self._socket = folder / "var" / "hub.sock"

    def wait_until_stored(self, queries: int) -> int:
        """Until the log holds so many queries, or nothing more comes; how many it holds."""
        end, stored = time.monotonic() + DRAIN_LIMIT, 0
        while stored < queries and time.monotonic() < end:
            time.sleep(0.5)
            self.process.check()
            stored = self.statistics()["queries"]
        return stored

    def statistics(self) -> dict[str, int]:
        with self._client() as client:
            return client.get("/statistics", since="0")

    def events(self) -> list[LoggedEvent]:
        """The whole log, newest first."""
        decode = msgspec.json.Decoder(LoggedEvent).decode
        with self._client() as client:
            text = b"".join(client.export({}, "jsonl"))
        return [decode(line) for line in text.splitlines()]

    def is_ready(self) -> bool:
        self.process.check()
        return b"ready;" in self.process.log.read_bytes()

    def _client(self) -> HubClient:
        try:
            return HubClient(self._socket)
        except HubError as problem:
            raise BenchError(f"the log cannot be read: {problem}") from problem


@contextmanager
def firewall(folder: Path) -> Iterator[Firewall]:
    """A product that was never used before, ended with the `with`."""
    with testbed.world(folder / "world") as world:
        port, config = processes.free_port(), folder / "namewarden.toml"
        hub = processes.free_port()
        config.write_text(CONFIG.format(folder=folder, host=HOST, port=port, world=world, hub=hub))
        command = [sys.executable, "-m", "namewarden", "run", "--config", str(config)]
        running = Firewall(folder, port, processes.start("namewarden", command, folder))
        try:
            _wait(running)
            yield running
        finally:
            running.process.stop()


def _wait(running: Firewall) -> None:
    end = time.monotonic() + READY_LIMIT
    while not running.is_ready():
        if time.monotonic() > end:
            raise BenchError(f"namewarden was not ready in {READY_LIMIT:.0f} s")
        time.sleep(0.1)
