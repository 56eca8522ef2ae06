import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import latency, testbed
from bench.latency import Client
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


@pytest.mark.skipif(not shutil.which("nsd"), reason="needs the package nsd")
def test_clients_ask_together_and_each_has_its_own_address_and_figures(tmp_path: Path):
    many = [f"new{number}.example.org" for number in range(latency.IDS // 100)]
    with testbed.world(tmp_path) as port:
        clients = [Client(many, 4000), Client(many[:20], 100, "127.0.9.1")]
        found = latency.measure_together(port, clients)
    assert [it.sent for it in found] == [it.resolved for it in found] == [655, 20]
    assert all(it.answered == 1 for it in found)


def test_a_client_may_ask_more_names_than_there_are_ids():
    names = ["a.example.org"] * (latency.IDS + 10)
    with ExitStack() as stack:
        asker = latency.Asker(free_port(), Client(names, 1e6), stack)
        assert len(asker.sockets) == 2 and asker.packets[latency.IDS][:2] == bytes(2)


def test_losses_move_the_tail_only():
    found = latency.Latencies(tuple([0.001] * 98), sent=100, resolved=98)
    assert found.quantile(0.5) == 0.001
    assert found.quantile(0.99) == float("inf")
