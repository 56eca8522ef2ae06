"""A process that is there and does nothing."""

import os
import signal

from tests.product import data, product


def test_stopped_processes_are_replaced(tmp_path, world):
    with product(tmp_path / "p", world) as running:
        running.until(lambda: len(running.pids("resolver")) == 2)
        stopped = [running.pids("resolver")[0], *running.pids("hub")]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert data(running.ask("www.example.org", timeout=30)) == ["192.0.2.20"]
        running.wait_for("hub ended .killed by SIGKILL., starting it again")
        assert "resolver 0 gives no sign of life, it is killed" in running.text()
        running.until(
            lambda: not set(stopped) & set(running.pids("resolver") + running.pids("hub"))
        )
        running.event("www.example.org.")
