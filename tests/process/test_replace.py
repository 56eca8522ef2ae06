"""A reload with real processes: all take it or none, and no check is waited for for ever."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAM = """
import os, signal, sys, time
from namewarden.process import replace, slot, supervise

def child(name, version):
    def serve(told):
        told.is_loaded()
        if name != "hub":
            os.read(told.go, 1)
            time.sleep(0.1)  # one that stood by comes out of its wait at its end too
        if version == "new" and name in sys.argv:
            return 1
        os.write(1, f"{name} {version}\\n".encode())  # at once: others write there, too
        told.is_ready()
        signal.pause()

    return slot.Child(name, serve, has_spare=name != "hub")

def children(version):
    return [child(name, version) for name in ("hub", "one", "two")]

def notify(text):
    print(text, flush=True)

def check():
    if "hangs" in sys.argv:
        time.sleep(60)
    return 0

reload = replace.Reload(
    check,
    lambda: children("new"),
    lambda: notify("done"),
    lambda: notify("undone"),
    lambda: notify("late"),
    patience=0.5 if "soon" in sys.argv else 60.0,
)
supervise.Supervisor(children("old"), notify, reload, silence=60.0).run(lambda: notify("ready"))
"""


class Running:
    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(HERE.parent.parent / "src")},
        )
        self.until("ready")

    def until(self, *words):
        """The lines, up to where all of these were said."""
        assert self.process.stdout is not None
        lines = []
        while not set(words) <= set(lines):
            lines.append(self.process.stdout.readline().strip())
            assert lines[-1], lines
        return lines

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def close(self):
        self.process.terminate()
        assert self.process.wait(10) in (0, -signal.SIGKILL)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def running(request):
    program = Running(*request.param)
    yield program
    program.close()


@pytest.mark.parametrize("running", [()], indirect=True)
def test_the_hub_is_the_last_and_it_is_done_when_all_have_taken_it(running):
    running.hang_up()
    assert running.until("done") == ["two new", "one new", "hub new", "done"]


@pytest.mark.parametrize("running", [("one",)], indirect=True)
def test_where_a_spare_cannot_take_it_the_hub_is_not_touched(running):
    running.hang_up()
    refused = "the spare of one ended (exit status 1): one stays as it was"
    assert running.until("undone") == ["two new", refused, "two old", "undone"]


@pytest.mark.parametrize("running", [("hub",)], indirect=True)
def test_where_the_hub_cannot_take_it_all_go_back(running):
    running.hang_up()
    lines = running.until("undone", "hub old")
    refused = "hub ended (exit status 1): hub stays as it was"
    assert lines[:3] == ["two new", "one new", refused]
    assert sorted(lines[3:]) == ["hub old", "one old", "two old", "undone"]


@pytest.mark.parametrize("running", [("hangs", "soon")], indirect=True)
def test_a_check_that_hangs_is_ended_and_the_next_reload_is_checked(running):
    for _ in range(2):
        running.hang_up()
        assert running.until("late") == ["late"]


@pytest.mark.parametrize(
    ("running", "number"),
    [(("hangs",), signal.SIGTERM), (("hangs", "soon"), signal.SIGKILL)],
    indirect=["running"],
)
def test_a_check_that_hangs_is_not_left_behind(running, number):
    running.hang_up()
    checks, end = [], time.monotonic() + 10
    while not checks and time.monotonic() < end:
        time.sleep(0.01)
        checks = checks_of(running.process.pid)
    running.process.send_signal(number)
    running.process.wait(10)
    assert checks and all(is_gone(pid) for pid in checks)


def is_gone(pid):
    """Within a second; who inherits it may not have looked yet."""
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            if ") Z" in Path(f"/proc/{pid}/stat").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def checks_of(parent):
    """The process ids that have the check's name."""
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [pid for pid in pids if b"config\0check" in Path(f"/proc/{pid}/cmdline").read_bytes()]
