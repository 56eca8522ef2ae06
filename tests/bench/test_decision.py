"""What processes write is counted, also by those that have ended."""

import time

from bench import processes
from bench.decision import written


def test_octets_of_a_process_and_of_its_ended_children_are_counted(tmp_path):
    wrote = tmp_path / "wrote"
    script = f"head -c 1000000 /dev/zero > {tmp_path}/zeros; echo done > {wrote}; sleep 60"
    process = processes.start("writer", ["sh", "-c", script], tmp_path)
    try:
        deadline = time.monotonic() + 20
        while not wrote.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert 1_000_000 <= written(process) < 1_100_000
    finally:
        process.stop()
