"""kill -9 of each process: DNS goes on, nothing acknowledged is missing, nobody is left behind."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import dns.exception
import dns.message
import pytest

from tests.product import data, product


@pytest.fixture
def running(tmp_path, world):
    (tmp_path / "list.txt").write_text("listed.example.net\n")
    more = f'[[lists]]\nname = "l"\nsource = "{tmp_path}/list.txt"\n'
    with product(tmp_path, world, more) as started:
        yield started


def kill(running, role):
    pid = running.pids(role)[0]
    os.kill(pid, signal.SIGKILL)
    return pid


def test_of_the_hub_dns_goes_on_and_the_events_come_later(running):
    running.ask("before.example.net")
    running.event("before.example.net")
    kill(running, "hub")
    for index in range(100):
        assert data(running.ask(f"during{index}.example.net", timeout=2)) == ["192.0.2.1"]
    assert data(running.ask("listed.example.net", timeout=2)) == ["0.0.0.0"]
    running.until(lambda: len(running.pids("hub")) == 1)
    running.until(lambda: len(running.events("--name", "*.example.net")) >= 102, 60)
    names = {event["name"] for event in running.events("--name", "*.example.net")}
    assert {"before.example.net.", "during0.example.net.", "during99.example.net."} <= names


class Asking(threading.Thread):
    """One question every 5 ms, each from its own socket, tried once; what came back and when."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.asked = self.answered = 0
        self.longest = 0.0
        self.ended = threading.Event()

    def run(self):
        waiting = []
        while not self.ended.is_set():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(("127.0.0.1", self.port))
            sock.send(dns.message.make_query("listed.example.net", "A").to_wire())
            self.asked += 1
            waiting.append((sock, time.monotonic()))
            waiting = [each for each in waiting if not self.take(*each)]
            time.sleep(0.005)
        end = time.monotonic() + 15
        while waiting and time.monotonic() < end:
            waiting = [each for each in waiting if not self.take(*each)]
            time.sleep(0.002)
        for sock, _ in waiting:
            sock.close()

    def take(self, sock, begin):
        try:
            sock.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        self.answered += 1
        self.longest = max(self.longest, time.monotonic() - begin)
        sock.close()
        return True


def test_of_a_resolver_what_waits_in_the_socket_is_answered_by_the_next(running):
    asking = Asking(running.port)
    asking.start()
    running.until(lambda: len(running.pids("resolver")) == 2)
    time.sleep(3.0)
    first = kill(running, "resolver")
    running.until(lambda: first not in running.pids("resolver"))
    time.sleep(2.0)
    asking.ended.set()
    asking.join()
    # In the dead one's hands: at most what one wake-up takes from the socket.
    assert asking.asked - asking.answered <= 64
    assert asking.asked - asking.answered <= 2, (asking.asked, asking.answered)
    assert asking.longest < 1, asking.longest
    assert "its spare takes over" in running.text()


def test_of_the_supervisor_nobody_is_left_behind(running):
    children = running.pids("hub") + running.pids("resolver")
    assert len(children) in (2, 3)
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(10)
    running.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children))
    with pytest.raises((dns.exception.Timeout, OSError)):
        running.ask("listed.example.net", timeout=0.5)
    running.start()
    running.until(lambda: running.text().count("ready;") == 2)
    assert data(running.ask("listed.example.net")) == ["0.0.0.0"]


def test_ctrl_c_ends_everything_in_order(running):
    children = running.pids("hub") + running.pids("resolver")
    running.ask("last.example.net")
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(20) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert "Traceback" not in running.text() and "KeyboardInterrupt" not in running.text()
    running.start()
    running.until(lambda: running.text().count("ready;") == 2)
    assert running.event("last.example.net")["status"] == "FORWARDED"


def test_a_second_one_on_the_same_folder_is_refused_with_what_to_do(running):
    done = running.command("run", "--config", str(running.config))
    assert done.returncode == 1 and "another Namewarden runs on" in done.stderr
