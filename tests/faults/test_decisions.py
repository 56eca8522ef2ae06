"""A decision acts at once everywhere, whatever the size of the lists; nothing is compiled or written anew for it."""

import os
import signal
import time

import pytest

from tests.product import data, product

NAMES = 200_000
WITHIN = 1.0  # seconds; what is measured on a quiet machine stands in docs/policy.md


@pytest.fixture(scope="module")
def running(tmp_path_factory, world):
    folder = tmp_path_factory.mktemp("decisions")
    lines = "".join(f"n{number}.listed.example.net\n" for number in range(NAMES))
    (folder / "list.txt").write_text(lines)
    more = (
        f'[model]\npath = "{folder}/nowhere"\n[[lists]]\nname = "l"\nsource = "{folder}/list.txt"\n'
    )
    with product(folder, world, more, listeners="workers = 2") as started:
        started.until(lambda: data(started.ask("n7.listed.example.net")) == ["0.0.0.0"], 60)
        yield started


@pytest.fixture
def hub(running):
    with running.api() as client:
        client.get("/lists")  # the first request of all takes longer
        yield client


def snapshots(running):
    """Every file of the snapshots' folder but the overlay's: what it is, and when it was last written."""
    files = (running.folder / "var" / "snapshots").iterdir()
    kept = [path for path in files if not path.name.startswith("overlay")]
    return {path.name: (s.st_ino, s.st_size, s.st_mtime_ns) for path in kept if (s := path.stat())}


def test_what_all_workers_find_wrong_is_told_once(running):
    assert running.text().count("until then the packaged model judges") == 1


def test_a_decision_is_felt_at_once_and_the_snapshot_stays(running, hub):
    before = snapshots(running)
    longest = 0.0
    for number in range(5):
        name = f"fresh{number}.example.net"
        for _ in range(8):  # both resolvers have it in their packet cache
            assert data(running.ask(name)) == ["192.0.2.1"]
        answer = hub.put(f"/decisions/{name}", json={"verdict": "malicious"})
        assert answer.status_code == 200, answer.text
        begin = time.monotonic()
        blocked = 0
        while blocked < 16:  # each asked from its own port: both resolvers
            is_blocked = data(running.ask(name)) == ["0.0.0.0"]
            blocked = blocked + 1 if is_blocked else 0
            longest = max(longest, 0.0 if is_blocked else time.monotonic() - begin)
            assert time.monotonic() - begin < 10
        assert hub.get("/lists").json()["snapshot"]["pending"] is False
    assert longest < WITHIN
    assert hub.delete("/decisions/fresh0.example.net").status_code == 200
    running.until(lambda: data(running.ask("fresh0.example.net")) == ["192.0.2.1"], 5)
    allowed = hub.put("/decisions/n7.listed.example.net", json={"verdict": "benign"})
    assert allowed.status_code == 200
    running.until(lambda: data(running.ask("n7.listed.example.net")) == ["192.0.2.1"], 5)
    assert snapshots(running) == before


def test_a_decision_ends_by_itself(running, hub):
    name = "short.example.net"
    ending = {"verdict": "malicious", "expires": time.time() + 3}
    assert hub.put(f"/decisions/{name}", json=ending).status_code == 200
    running.until(lambda: data(running.ask(name)) == ["0.0.0.0"], 2)
    running.until(lambda: data(running.ask(name)) == ["192.0.2.1"], 6)


def test_the_hub_is_killed_and_decisions_stay(running, hub):
    name = "kept.example.net"
    assert hub.put(f"/decisions/{name}", json={"verdict": "malicious"}).status_code == 200
    running.until(lambda: data(running.ask(name)) == ["0.0.0.0"], 5)
    (pid,) = running.pids("hub")
    os.kill(pid, signal.SIGKILL)
    for resolver in running.pids("resolver")[:2]:
        os.kill(resolver, signal.SIGKILL)
    running.until(lambda: len(running.pids("resolver")) >= 3, 60)
    assert data(running.ask(name)) == ["0.0.0.0"]
    running.until(lambda: len(running.pids("hub")) == 1 and running.pids("hub") != [pid])
    done = running.command("undo", name, *running.where)
    assert done.returncode == 0 and "in force" in done.stdout, done.stderr
    assert data(running.ask(name)) == ["192.0.2.1"]
