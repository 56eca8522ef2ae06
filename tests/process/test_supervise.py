"""The supervisor with real processes: restarts, sockets that outlive a child, and nobody left behind."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAM = """
import asyncio, os, signal, socket, sys, time
from namewarden.process import channel, slot, sockets, supervise

async def echo(told):
    ended = asyncio.Event()
    told.watch(ended.set)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    udp = socket.socket(fileno=told.sockets["udp"][0])
    udp.setblocking(False)

    def answer():
        data, address = udp.recvfrom(512)
        udp.sendto(str(os.getpid()).encode(), address)
        if data == b"spin":
            while True:
                pass

    told.is_loaded()
    await channel.first_of(told.begun(), ended.wait())
    loop.add_reader(udp, answer)
    told.is_ready()
    await ended.wait()

def serve(told):
    if "refuse" in sys.argv:
        return 1
    asyncio.run(echo(told))
    return 0

udp = sockets.bind("127.0.0.1:0", socket.SOCK_DGRAM, shared=True)
print("port", udp.getsockname()[1], flush=True)
sockets, spare = {"udp": [udp.fileno()]}, "spare" in sys.argv
child = slot.Child("echo", serve, sockets, ("echo", "1"), gives_way=True, has_spare=spare)
notify = lambda text: print(text, flush=True)
if "no-room" in sys.argv:
    fork, rooms = os.fork, [True, False]

    def crowded():
        if rooms and not rooms.pop(0):
            raise BlockingIOError(11, "no room")
        return fork()

    os.fork = crowded
other = supervise.Reload(lambda: int("wrong" in sys.argv), lambda: [child], lambda: notify("reloaded"))
refused = supervise.Supervisor([child], notify, other, silence=2.0).run(lambda: notify("ready"))
notify("refused " + refused if refused else "ended")
"""


class Running:
    def __init__(self, folder, *more, **options):
        self.log = folder / "errors"
        (folder / "program.py").write_text(PROGRAM)
        environ = {**os.environ, "PYTHONPATH": str(HERE.parent.parent / "src")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, folder / "program.py", *more],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environ,
                **options,
            )
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self.port = int(self.line().split()[1])
        assert self.line() == "ready"
        self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.settimeout(10)
        self.client.connect(("127.0.0.1", self.port))

    def errors(self):
        return self.log.read_text()

    def line(self):
        return self.output.readline().strip()

    def child(self):
        self.client.send(b"who")
        return int(self.client.recv(64))

    def close(self):
        self.client.close()
        self.process.kill()
        self.process.wait()
        self.output.close()


@pytest.fixture
def running(tmp_path):
    program = Running(tmp_path)
    yield program
    program.close()


@pytest.fixture
def with_spare(tmp_path):
    program = Running(tmp_path, "spare")
    yield program
    program.close()


def children_of(pid):
    """Process ids, oldest first."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return sorted(int(word) for word in text.split())


def test_a_spare_takes_over_at_once_and_gets_a_spare_of_its_own(with_spare):
    parent = with_spare.process.pid
    for _ in range(2):
        end = time.monotonic() + 10
        while len(children_of(parent)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        first, spare = children_of(parent)
        assert with_spare.child() == first
        os.kill(first, signal.SIGKILL)
        assert with_spare.child() == spare
        assert "its spare takes over" in with_spare.line()


def test_spares_end_with_the_rest(with_spare):
    time.sleep(0.5)
    children = children_of(with_spare.process.pid)
    with_spare.process.terminate()
    assert with_spare.line() == "ended"
    assert not any(is_alive(pid) for pid in children)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "Z" not in state.split(")")[1].split()[0]


def wait_gone(pid):
    end = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(pid)


def test_what_arrives_while_a_child_is_restarted_is_answered_by_the_next(running):
    first = running.child()
    os.kill(first, signal.SIGKILL)
    second = running.child()
    assert second != first
    assert "killed by SIGKILL" in running.line()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_its_children_first(running, number):
    child = running.child()
    running.process.send_signal(number)
    assert running.line() == "ended"
    assert running.process.wait(10) == 0 and not is_alive(child)


def test_ctrl_c_at_any_moment_is_the_supervisors_alone(tmp_path):
    """As a terminal sends it: to all, while the spare is still being started."""
    for wait in (0.0, 0.02, 0.05, 0.1):
        program = Running(tmp_path, "spare", start_new_session=True)
        time.sleep(wait)
        os.killpg(program.process.pid, signal.SIGINT)
        assert program.process.wait(10) == 0
        assert program.errors() == ""
        program.close()


def test_a_child_that_gives_way_is_nicer_than_its_supervisor(running):
    nice = [os.getpriority(os.PRIO_PROCESS, pid) for pid in (running.process.pid, running.child())]
    assert nice[1] == min(nice[0] + 10, 19)


def test_when_it_is_killed_nobody_is_left_behind(running):
    child = running.child()
    running.process.kill()
    assert wait_gone(child)


def test_a_child_that_refuses_to_start_is_not_started_again(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, tmp_path / "program.py", "refuse"],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent / "src")},
    )
    assert done.stdout.splitlines()[1:] == ["refused echo"]


def settled(pid, count=2):
    """The children, once there are so many."""
    end = time.monotonic() + 10
    while len(children_of(pid)) < count and time.monotonic() < end:
        time.sleep(0.02)
    return children_of(pid)


def test_told_to_reload_the_next_serves_before_the_one_before_ends(with_spare):
    before = settled(with_spare.process.pid)
    assert with_spare.child() == before[0]
    with_spare.process.send_signal(signal.SIGHUP)
    assert with_spare.line() == "reloaded"
    assert all(wait_gone(pid) for pid in before)
    assert with_spare.child() not in before
    assert len(settled(with_spare.process.pid)) == 2


def test_without_a_spare_the_one_before_ends_first(running):
    before = running.child()
    running.process.send_signal(signal.SIGHUP)
    assert running.line() == "reloaded" and not is_alive(before)
    assert running.child() != before


def test_told_to_reload_where_there_is_no_room_it_tries_again(tmp_path):
    program = Running(tmp_path, "no-room")
    before = program.child()
    program.process.send_signal(signal.SIGHUP)
    assert program.line() == "reloaded" and program.errors() == ""
    assert program.child() != before
    program.close()


def test_what_is_wrong_is_not_taken(tmp_path):
    program = Running(tmp_path, "wrong")
    before = program.child()
    program.process.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert program.child() == before
    program.close()


def test_a_terminal_that_hangs_up_ends_it(tmp_path):
    ours, terminal = pty.openpty()
    program = Running(tmp_path, stdin=terminal)
    os.close(terminal)
    program.process.send_signal(signal.SIGHUP)
    assert program.line() == "reloaded"
    os.close(ours)
    program.process.send_signal(signal.SIGHUP)
    assert program.line() == "ended" and program.process.wait(10) == 0
    program.close()


def test_one_that_is_stopped_is_replaced_by_its_spare(with_spare):
    first, spare = settled(with_spare.process.pid)
    assert with_spare.child() == first
    os.kill(first, signal.SIGSTOP)
    with_spare.client.send(b"who")
    assert int(with_spare.client.recv(64)) == spare
    assert with_spare.line() == "echo gives no sign of life, it is killed"
    assert with_spare.line() == "echo ended (killed by SIGKILL), its spare takes over"
    assert wait_gone(first)


def test_a_loop_that_spins_is_replaced(running):
    running.client.send(b"spin")
    first = int(running.client.recv(64))
    assert running.child() != first
    assert "gives no sign of life" in running.line()


def test_a_spare_that_is_stopped_is_replaced_while_the_other_serves(with_spare):
    first, spare = settled(with_spare.process.pid)
    time.sleep(0.5)  # from here on it stands by
    os.kill(spare, signal.SIGSTOP)
    assert with_spare.line() == "the spare of echo gives no sign of life, it is killed"
    assert with_spare.line().startswith("the spare of echo ended (killed by SIGKILL)")
    again, other = settled(with_spare.process.pid)
    assert again == first == with_spare.child() and other != spare


def test_a_supervisor_that_was_stopped_itself_blames_nobody(with_spare):
    children = settled(with_spare.process.pid)
    with_spare.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    with_spare.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    assert children_of(with_spare.process.pid) == children


def test_a_child_has_its_own_name_and_files(running):
    child = Path(f"/proc/{running.child()}")
    assert (child / "cmdline").read_bytes().split(b"\0")[:2] == [b"echo", b"1"]
    ours = Path(f"/proc/{running.process.pid}/fd")
    pipes = {os.readlink(each) for each in ours.iterdir()} & {
        os.readlink(each) for each in (child / "fd").iterdir()
    }
    assert (
        sum(name.startswith("pipe:") for name in pipes) == 3
    )  # its output, that we live, its news
