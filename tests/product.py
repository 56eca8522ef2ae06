"""The whole product as real processes for a test: `with product(folder, upstream) as running:`.

Ports are the kernel's, state is under the test's folder, and everything is ended with the `with`, the children
of a killed supervisor too. Counterpart of `tests/servers.py`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import httpx

from tests.servers import Server, free_port

ROOT = Path(__file__).parent.parent
READY_WITHIN = 60.0  # seconds: two cores, and other tests beside


class Product:
    """One running `namewarden run` and what a user can do with it."""

    def __init__(self, folder: Path, config: Path, port: int, hub: int) -> None:
        self.folder = folder
        self.config = config
        self.port = port
        self.hub = hub
        self.log = folder / "log"
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("NAMEWARDEN_")},
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def where(self) -> tuple[str, str]:
        return "--config", str(self.config)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "namewarden", "run", "--config", str(self.config)],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environ,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, pattern: str, seconds: float = READY_WITHIN) -> str:
        """The first match in the log. AssertionError with the log when it does not come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.text()):
                return found.group()
            assert self.process is None or self.process.poll() is None, self.text()
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {seconds} s in:\n{self.text()}")

    def until(self, holds: Callable[[], bool], seconds: float = 20.0) -> float:
        """Wait until it holds; how long that took."""
        begin = time.monotonic()
        while not holds():
            assert time.monotonic() < begin + seconds, f"not within {seconds} s:\n{self.text()}"
            time.sleep(0.05)
        return time.monotonic() - begin

    def ask(
        self,
        name: str,
        kind: str = "A",
        tcp: bool = False,
        timeout: float = 5.0,
        source: str | None = None,
        **options: Any,
    ) -> dns.message.Message:
        """One query, as a stub resolver sends it."""
        query = dns.message.make_query(name, kind, **{"use_edns": 0, "payload": 1232, **options})
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, "127.0.0.1", port=self.port, timeout=timeout, source=source)

    def command(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "namewarden", *args],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def api(self) -> httpx.Client:
        """The hub by its Unix socket: a command takes a second longer."""
        transport = httpx.HTTPTransport(uds=str(self.folder / "var" / "hub.sock"), verify=False)
        return httpx.Client(transport=transport, base_url="http://localhost/api/v1", timeout=60)

    def events(self, *args: str) -> list[dict[str, Any]]:
        """The event log by `namewarden query`, newest first."""
        done = self.command("query", "--config", str(self.config), "--format", "jsonl", *args)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def event(
        self, name: str, seconds: float = 20.0, count: int = 1, **wanted: Any
    ) -> dict[str, Any]:
        """The newest event of this name with these fields, waited for: events arrive in batches."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.api() as hub:
                answer = hub.get("/queries/export", params={"name": name})
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = [json.loads(one) for one in answer.text.splitlines()]
            fitting = [e for e in found if all(e[key] == value for key, value in wanted.items())]
            if sum(event["count"] for event in fitting) >= max(count, 1):
                return fitting[0]
            time.sleep(0.1)
        raise AssertionError(f"no event of {name} with {wanted}:\n{self.text()}")

    def pids(self, role: str) -> list[int]:
        """Process ids of the children whose command is `role`, oldest first: a resolver's spare is the last."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and role.encode() in words:
                found.append(int(entry.name))
        return sorted(found)

    def stop(self) -> None:
        """Ctrl-C as a terminal sends it, then what is left of the session is killed."""
        if self.process is None:
            return
        group = self.process.pid
        try:
            os.killpg(group, signal.SIGINT)
            self.process.wait(20)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)
        self.process = None


@contextmanager
def product(
    folder: Path,
    upstream: Server | None = None,
    more: str = "",
    patience: str = "",
    listeners: str = "",
) -> Iterator[Product]:
    """A running product forwarding to `upstream`; `more` is added to its TOML, `patience` to
    [upstream], `listeners` to [dns]."""
    folder.mkdir(parents=True, exist_ok=True)
    running = _configured(folder, upstream, more, patience, listeners)
    running.start()
    try:
        for _ in range(3):  # a port that was free a moment ago may be somebody's by now
            if "another server is there" not in running.wait_for("ready;|another server is there"):
                break
            running.stop()
            running.log.unlink()
            running = _configured(folder, upstream, more, patience, listeners)
            running.start()
        yield running
    finally:
        running.stop()


def _configured(
    folder: Path, upstream: Server | None, more: str, patience: str, listeners: str
) -> Product:
    port, hub, verdict = free_port(), free_port(), free_port()
    config = folder / "namewarden.toml"
    servers = f'servers = ["{upstream.url}"]' if upstream else "servers = []"
    config.write_text(
        f"""
schema_version = 1
data_dir = "{folder}/var"

[dns]
listen = ["127.0.0.1:{port}"]
{listeners}

[upstream]
{servers}
{patience}

[hub]
listen = "127.0.0.1:{hub}"

[verdict]
listen = "127.0.0.1:{verdict}"
{more}
"""
    )
    return Product(folder, config, port, hub)


def rcode(message: dns.message.Message) -> str:
    return dns.rcode.to_text(message.rcode())


def data(message: dns.message.Message) -> list[str]:
    """The answer section's data, sorted, as text."""
    return sorted(rdata.to_text() for rrset in message.answer for rdata in rrset)
