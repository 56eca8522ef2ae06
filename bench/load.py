"""The load: `dnsperf` on its own core, its summary read back into numbers."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from bench.processes import BUFFER, HOST, LOAD_CORE, BenchError

CLIENTS, THREADS, OUTSTANDING = 16, 1, 100
ALLOWED_LOSS = (
    0.001  # share of the queries sent; a round that lost more is marked and does not count
)


@dataclass(frozen=True)
class Load:
    """What dnsperf says about one run."""

    sent: int
    completed: int
    lost: int
    rate: float  # answered queries a second
    latency: float  # seconds, mean
    rcodes: dict[str, int] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return self.completed > 0 and self.lost <= ALLOWED_LOSS * self.sent

    def share(self, rcode: str) -> float:
        return self.rcodes.get(rcode, 0) / self.completed if self.completed else 0.0


def command(port: int, queries: Path, seconds: float | None) -> list[str]:
    """`seconds` None: the file once, to its end."""
    length = ["-n", "1"] if seconds is None else ["-l", f"{seconds:g}"]
    return [
        *(
            "taskset",
            "-c",
            str(LOAD_CORE),
            "dnsperf",
            "-s",
            HOST,
            "-p",
            str(port),
            "-d",
            str(queries),
        ),
        *("-c", str(CLIENTS), "-T", str(THREADS), "-q", str(OUTSTANDING), "-t", "2"),
        *("-b", str(BUFFER // 1024), *length),
    ]


def run(port: int, queries: Path, seconds: float | None = None) -> Load:
    """Ask `queries` for `seconds`, or once."""
    if shutil.which("dnsperf") is None:
        raise BenchError("dnsperf is not installed")
    done = subprocess.run(
        command(port, queries, seconds), capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        raise BenchError(f"dnsperf failed: {done.stderr[-500:]}")
    return read_summary(done.stdout)


def read_summary(text: str) -> Load:
    """The statistics block of dnsperf's output. BenchError when it is not there."""
    return Load(
        sent=int(_figure(text, "Queries sent")),
        completed=int(_figure(text, "Queries completed")),
        lost=int(_figure(text, "Queries lost")),
        rate=_figure(text, "Queries per second"),
        latency=_figure(text, r"Average Latency \(s\)"),
        rcodes={
            name: int(count) for name, count in re.findall(r"([A-Z]+\d*) (\d+) \(", _rcodes(text))
        },
    )


def _figure(text: str, label: str) -> float:
    found = re.search(rf"^\s*{label}:\s+([0-9.]+)", text, re.MULTILINE)
    if found is None:
        raise BenchError(f"dnsperf said nothing about {label!r}:\n{text[-800:]}")
    return float(found[1])


def _rcodes(text: str) -> str:
    found = re.search(r"^\s*Response codes:\s+(.*)$", text, re.MULTILINE)
    return found[1] if found else ""
