"""The peers as real processes, on a small list: what a workload would ask them is answered as the workload expects."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import load, names, packaged, testbed, workloads
from bench.fixed import FIXED
from bench.names import NameFiles, Sizes
from bench.peers import PEERS
from bench.processes import LOAD_CORE, SERVER_CORE, BenchError
from bench.server import Server

pytestmark = [
    pytest.mark.skipif(
        not all(map(shutil.which, ("unbound", "nsd", "dnsperf", "taskset"))),
        reason="needs the packages unbound, nsd and dnsperf",
    ),
    pytest.mark.skipif(
        not {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0), reason="needs two cores"
    ),
]
UNBOUND = [server for server in PEERS if server.name.startswith("unbound")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> NameFiles:
    return names.write(tmp_path_factory.mktemp("names"), 2000, Sizes(100, 500, 500, 500))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[int]:
    with testbed.world(tmp_path / "world") as port:
        yield port


@pytest.mark.parametrize("server", [*UNBOUND, *packaged.SERVERS], ids=lambda server: server.name)
def test_a_peer_answers_what_the_workloads_expect(
    server: Server, made: NameFiles, world: int, tmp_path: Path
):
    if why := server.missing():
        pytest.skip(why)
    running = testbed.bring_up(server, tmp_path / "peer", made, world)
    try:
        warm = workloads.run_warm("blocked-warm", running, made, number=0, seconds=0.2)
        cached = workloads.run_warm("cached-warm", running, made, number=0, seconds=0.2)
        cold = workloads.run_cold(running, made, number=0)
        fresh = workloads.take(workloads.fresh_names(made), 250)
        miss = workloads.run_miss(running.name, running.port, fresh, 0, rate=500)
    finally:
        running.process.stop()
    assert warm.load.share("NXDOMAIN") == cold.load.share("NXDOMAIN") == 1
    assert cached.load.share("NOERROR") == miss.resolved == 1
    assert cold.load.completed == 500
    assert warm.is_valid and warm.kept is None and running.ready > 0
    assert server.version()[-1].isdigit()


def test_a_wrong_answer_is_no_measurement(made: NameFiles, world: int, tmp_path: Path):
    running = testbed.bring_up(UNBOUND[1], tmp_path / "peer", made, world)
    try:
        right = load.run(running.port, made.cached_warm)
        with pytest.raises(BenchError, match="NXDOMAIN expected"):
            workloads.check_answers("blocked-warm", running, right)
    finally:
        running.process.stop()


def test_a_server_that_ends_says_why(made: NameFiles, world: int, tmp_path: Path):
    broken = Server(
        "broken", "NXDOMAIN", lambda place: ["sh", "-c", "echo no such zone; exit 3"], str, str
    )
    with pytest.raises(BenchError, match="broken ended with 3:\nno such zone"):
        testbed.bring_up(broken, tmp_path / "peer", made, world)


def test_each_round_begins_with_another_server():
    assert [workloads.in_turn(["a", "b", "c"], number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_the_fixed_answer_is_one_that_warm_workloads_count(
    made: NameFiles, world: int, tmp_path: Path
):
    running = testbed.bring_up(FIXED, tmp_path / "fixed", made, world)
    try:
        rounds = [
            workloads.run_warm(workload, running, made, number=0, seconds=0.2)
            for workload in workloads.WARM
        ]
    finally:
        running.process.stop()
    assert all(each.is_valid and each.load.completed > 1000 for each in rounds)
