import shutil
from pathlib import Path

import pytest

from bench import latency, testbed
from bench.processes import free_port


@pytest.mark.skipif(not shutil.which("nsd"), reason="needs the package nsd")
def test_open_loop_against_a_real_server(tmp_path: Path):
    names = [f"new{number}.example.org" for number in range(200)]
    with testbed.world(tmp_path) as port:
        found = latency.measure(port, names, rate=2000)
    assert found.sent == found.resolved == 200
    assert 0 < found.quantile(0.5) <= found.quantile(0.99) < 1


def test_unanswered_queries_are_infinitely_late():
    found = latency.measure(free_port(), ["a.example.org"] * 10, rate=2000)
    assert found.sent == 10 and found.resolved == 0
    assert found.quantile(0.5) == float("inf")


def test_losses_move_the_tail_only():
    found = latency.Latencies(tuple([0.001] * 98), sent=100, resolved=98)
    assert found.quantile(0.5) == 0.001
    assert found.quantile(0.99) == float("inf")
