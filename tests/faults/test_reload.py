"""SIGHUP: another configuration, and no query lost."""

import os
import signal
import socket
import threading
import time

import dns.message

from tests.product import Product, product, rcode

LIST = """
[[lists]]
name = "ours"
source = "{source}"
"""


def hang_up(running: Product) -> None:
    assert running.process is not None
    os.kill(running.process.pid, signal.SIGHUP)


def change(running: Product, old: str, new: str) -> None:
    text = running.config.read_text()
    assert old in text
    running.config.write_text(text.replace(old, new, 1))


class Asking:
    """Twenty-five queries a second in the background; `lost` are those without an answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.sent: set[int] = set()
        self.answered: set[int] = set()

    def _ask(self) -> None:
        while not self._ended.wait(0.04):
            number = len(self.sent)
            name = f"n{number}.example.net" if number % 2 else "www.example.org"
            query = dns.message.make_query(name, "A")
            query.id = number
            self.sent.add(number)
            self._socket.send(query.to_wire())
            self._hear(0.0)

    def _hear(self, seconds: float) -> None:
        self._socket.settimeout(seconds)
        try:
            while True:
                self.answered.add(int.from_bytes(self._socket.recv(4096)[:2]))
        except (BlockingIOError, TimeoutError):
            pass

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._hear(5.0)
        self._socket.close()

    @property
    def lost(self) -> set[int]:
        return self.sent - self.answered


def test_a_changed_list_group_and_mode_come_into_force_and_no_query_is_lost(tmp_path, world):
    blocked = tmp_path / "ours.txt"
    blocked.write_text("bad.example.net\n")
    with product(tmp_path / "p", world, more='[model]\nmode = "off"\n') as running:
        assert rcode(running.ask("bad.example.net")) == "NOERROR"
        before = running.pids("resolver") + running.pids("hub")
        change(running, 'mode = "off"', 'mode = "shadow"\n[block]\nmode = "nxdomain"')
        with running.config.open("a") as file:
            file.write(LIST.format(source=blocked))
            file.write('[[groups]]\nname = "kids"\nclients = ["127.0.0.2/32"]\nblock = "refused"\n')
        with Asking(running.port) as asking:
            hang_up(running)
            running.wait_for("the configuration is reloaded")
            running.until(lambda: rcode(running.ask("bad.example.net")) == "NXDOMAIN")
            time.sleep(0.5)
        assert len(asking.sent) > 10 and not asking.lost
        kids = running.ask("bad.example.net", source="127.0.0.2")
        assert rcode(kids) == "REFUSED"
        running.until(lambda: not set(before) & set(running.pids("resolver") + running.pids("hub")))
        running.event("www.example.org.")


def test_a_wrong_configuration_leaves_the_one_before(tmp_path, world):
    with product(tmp_path / "p", world) as running:
        running.until(lambda: len(running.pids("resolver")) == 2)
        before = running.pids("resolver") + running.pids("hub")
        right = running.config.read_text()
        running.config.write_text(
            right + '[model]\nmode = "odd"\npath = "nowhere"\n[block]\nttl = -1\n'
        )
        hang_up(running)
        running.wait_for("the configuration is wrong, the one before stays in force")
        assert "model.mode" in running.text() and "block.ttl" in running.text()
        running.config.write_text(right + '[model]\npath = "nowhere"\n')
        hang_up(running)
        running.wait_for("model.path: ")
        assert running.pids("resolver") + running.pids("hub") == before
        assert rcode(running.ask("www.example.org")) == "NOERROR"


def test_what_needs_a_restart_is_named_and_stays(tmp_path, world):
    with product(tmp_path / "p", world) as running:
        change(running, f'"127.0.0.1:{running.port}"', '"127.0.0.1:1"')
        hang_up(running)
        running.wait_for("dns.listen needs a restart, it stays as it was")
        running.wait_for("the configuration is reloaded")
        assert rcode(running.ask("www.example.org")) == "NOERROR"
