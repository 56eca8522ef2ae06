"""Wrong use of `harness` is told with status 2 before anybody is asked."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.saying import said

ASKED = "harness", "--server", "127.0.0.1:9", "--names", "names"


@pytest.mark.parametrize(
    ("more", "part"),
    [
        (("--tcp", "--tls"), "two ways"),
        (("--blocked", "ede:x"), "ede:x"),
        (("--redirect", "nowhere"), "nowhere"),
        (("--source", "nowhere"), "nowhere"),
        (("--server", "127.0.0.1:x"), "is not ADDRESS:PORT"),
        (("--names", "gone"), "gone: No such file"),
        (("--tls", "--tls-ca", "gone"), "gone: No such file"),
        (("--junit", "gone/x.xml"), "gone/x.xml"),
        (("--concurrency", "0"), "concurrency"),
        (("--names", "redirect"), "--redirect"),
    ],
)
def test_wrong_use(tmp_path, more, part):
    (tmp_path / "names").write_text("a.test\n")
    (tmp_path / "redirect").write_text("a.test\na.test,A,,redirect\n")
    assert part in said(*ASKED, *more, status=2)


def test_nobody_there_is_a_no_and_all_is_written(tmp_path):
    (tmp_path / "names").write_text("a.test\nb.test,A,,TIMEOUT\n")
    told = said(*ASKED, "--junit", "x.xml", "--jsonl", "x.jsonl", "--tries", "1")
    assert "2 asked of udp://127.0.0.1:9" in told and "Connection refused" in told
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert [bool(each["difference"]) for each in lines] == [True, False]
    assert 'errors="1"' in (tmp_path / "x.xml").read_text()
    assert said("harness", "--server", "127.0.0.1:9", "--names", "names", "--blocked", "silence")


def test_who_ends_it_sees_what_came_until_then(tmp_path):
    (tmp_path / "names").write_text("a.test\n" * 1000)
    command = [sys.executable, "-m", "namewarden", *ASKED, "--rate", "20", "--jsonl", "x.jsonl"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    until = time.monotonic() + 30
    while not (tmp_path / "x.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)  # it asks from now on
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=30)
    assert running.returncode == 130
    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    assert 0 < len(lines) < 1000 and f"{len(lines)} asked of" in told
