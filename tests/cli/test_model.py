"""Names judged by the model alone: rows, and the bar that who waits sees."""

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from namewarden.cli import app
from tests.cli.saying import said

SOURCE = Path(__file__).parents[2] / "src"


def test_names_that_cannot_be_read_are_named(tmp_path):
    assert said("score", str(tmp_path)) == f"{tmp_path}: Is a directory\n"


def test_scores_are_one_line_a_name(tmp_path):
    (tmp_path / "names").write_text("example.org\n")
    row = json.loads(said("score", "names", "--format", "jsonl", status=0))
    assert (row["name"], row["action"]) == ("example.org", "allow")


def test_a_carriage_return_ends_no_line(tmp_path):
    (tmp_path / "names").write_bytes(b"a.com\rb.com\nexample.org\r\n")
    first, second = said("score", "names", status=0).splitlines()
    assert first == "a.com\\013b.com\t0.0\terror\t\tallow"
    assert second.startswith("example.org\t")


@pytest.mark.parametrize("by_pipe", [False, True])
def test_who_waits_sees_a_bar_and_results_stay_clean(tmp_path, by_pipe):
    """The terminal is standard error; the size of the input is known, or not."""
    text = "".join(f"n{number}.example{number}.org\n" for number in range(3000))
    (tmp_path / "names").write_text(text)
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "namewarden", "score", "-" if by_pipe else "names"]
    done = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs, cwd=tmp_path,
        env=os.environ | {"TERM": "xterm", "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    os.close(theirs)
    seen = bytearray()
    reader = threading.Thread(target=_read_all, args=(terminal, seen))
    reader.start()
    out, _ = done.communicate(text.encode() if by_pipe else b"", timeout=60)
    reader.join(timeout=10)
    os.close(terminal)
    assert done.returncode == 0
    assert [row.split(b"\t")[0].decode() for row in out.splitlines()] == text.split()
    assert b"3,000 names, " in seen and b"names, " not in out


def _read_all(terminal, seen):
    try:
        while more := os.read(terminal, 4096):
            seen += more
    except OSError:  # the other end is closed
        return


def test_nobody_looks_no_bar(tmp_path):
    (tmp_path / "names").write_text("example.org\n")
    done = CliRunner().invoke(app, ["score", "names"])
    assert done.stderr == "" and done.stdout.count("\n") == 1
