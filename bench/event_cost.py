"""`python -m bench.event_cost`: what one event costs, from `record()` to the row on disk, in microseconds of CPU.

The hub is a process of its own with its real server and store; both run on one core, as in the workloads. All 300,000
names are different, as on the cold workload; a second figure is for batches as small as a quiet resolver sends.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from namewarden.events.batch import Columns
from namewarden.events.recorder import Recorder
from namewarden.events.sender import Pace, Sender
from namewarden.query import Answer, Query, Verdict
from namewarden.stages.record import to_event

NUMBER = 300_000
HUB = """
import asyncio, sys
from pathlib import Path
from namewarden.settings import Settings
from namewarden.hub.api import build
from namewarden.hub.server import Server
from namewarden.process.api import build_services
from namewarden.process.paths import prepare
from namewarden.process.publishing import Publishing
from namewarden.process.sockets import bind_unix

async def main(folder):
    paths = prepare(folder)
    publishing = Publishing(Settings(), paths, print)
    publishing.start()
    services = build_services(Settings(), paths, publishing, print)
    services.ingest.start()
    await Server(build(services), [], bind_unix(folder / "hub.sock")).run()

asyncio.run(main(Path(sys.argv[1])))
"""


def cpu_of(pid: int) -> float:
    """Seconds of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(recorder: Recorder, number: int, start: int = 0) -> tuple[float, float]:
    """Microseconds to make an event, and to record it."""
    began = time.process_time()
    now = time.time()
    events = [
        to_event(
            Query(1, f"name{n}.example.org.", 1, "192.0.2.1", "udp", 0.0, b""),
            Answer(0, status="BLOCKED", verdict=Verdict("block", "list_deny", f"malware:{n} ||name{n}.example.org^")),
            0.0001,
            now,
            "resolver",
        )
        for n in range(start, start + number)
    ]  # fmt: skip
    made = time.process_time()
    for event in events:
        recorder.record(event)
    done = time.process_time()
    return (made - began) / number * 1e6, (done - made) / number * 1e6


def encode(recorder: Recorder, number: int) -> float:
    columns, began = Columns(), time.process_time()
    for _ in range(0, number, 512):
        columns.add(recorder.take(512))
    columns.finish()
    return (time.process_time() - began) / number * 1e6


async def drain(recorder: Recorder, path: Path, pace: Pace) -> None:
    sender = Sender(recorder, path, pace)
    sender.stop(grace=120.0)  # run() ends when all is sent
    await sender.run()
    assert sender.sent_events == recorder.recorded, sender.problem


def measure(folder: Path, pid: int, pace: Pace, number: int) -> tuple[float, float, float]:
    """Microseconds an event: of this process, of the hub; and seconds in all."""
    recorder = Recorder("resolver", NUMBER)
    fill(recorder, number)
    here, there, wall = time.process_time(), cpu_of(pid), time.monotonic()
    asyncio.run(drain(recorder, folder / "hub.sock", pace))
    took = time.monotonic() - wall
    return (
        (time.process_time() - here) / number * 1e6,
        (cpu_of(pid) - there) / number * 1e6,
        took,
    )


def notify(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hub = subprocess.Popen([sys.executable, "-c", HUB, name])
        try:
            while not (folder / "hub.sock").exists():
                time.sleep(0.05)
            recorder = Recorder("resolver", NUMBER)
            made, recorded = fill(recorder, 100_000)
            notify(f"make query, answer and event {made:.2f} µs, record {recorded:.2f} µs, columns "
                f"{encode(recorder, 100_000):.2f} µs")  # fmt: skip
            for label, pace, number in (
                (f"batches of {Pace().rows:,}", Pace(), NUMBER),
                ("batches of 2,000", Pace(rows=2000), 50_000),
                ("batches of 200", Pace(rows=200), 10_000),
            ):
                here, there, took = measure(folder, hub.pid, pace, number)
                notify(
                    f"{number} events, {label}: sender {here:.2f} µs, hub {there:.2f} µs, {took:.2f} s"
                )
        finally:
            hub.terminate()
            hub.wait()


if __name__ == "__main__":
    main()
