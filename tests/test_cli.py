"""What the commands say to right and wrong use, where nothing needs to run."""

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

SOURCE = Path(__file__).parents[1] / "src"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def said(*args: str, status: int = 1) -> str:
    done = CliRunner().invoke(app, args)
    assert done.exit_code == status, done.output
    return done.output


def test_the_version():
    assert said("--version", status=0).startswith("namewarden ")


def test_wrong_records_and_missing_lists_are_found_before_a_start(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text('[local]\nrecords = ["nas.lan A", "nas.lan. 300 A 192.168.1.5"]\n')
    assert "local.records.0: 'nas.lan A' is not a record" in said("config", "check")
    path.write_text('[[lists]]\nname = "malware"\nsource = "gone.txt"\n')
    assert f"there is no file {tmp_path / 'gone.txt'} yet" in said("config", "check", status=0)


@pytest.mark.parametrize("name", ["", "https://example.org/x"])
def test_what_is_no_name_is_not_explained(name):
    assert "is no name such as" in said("explain", name, status=2)


def test_explaining_where_nothing_ever_ran_is_by_the_model_alone_and_leaves_nothing(tmp_path):
    told = said("explain", "WWW.kctcynooqtglbwkqpvx.org", status=0)
    assert f"no policy in {tmp_path / 'var'}" in told
    assert "judged     kctcynooqtglbwkqpvx, of the registered domain" in told
    assert "█" in told and "what the chain does" not in told
    assert not (tmp_path / "var").exists()


def test_an_explanation_for_scripts(tmp_path):
    done = CliRunner().invoke(app, ["explain", "bücher.org", "--format", "json"])
    row = json.loads(done.stdout)
    assert row["name"] == "xn--bcher-kva.org." and row["client"] == "127.0.0.1"
    assert row["explanation"]["label"] == "xn--bcher-kva"
    assert len(row["explanation"]["contributions"]) == len("xn--bcher-kva")


@pytest.mark.parametrize("name", ["\x1b[2Jred.org", "a b.org", "tab\there.org", "\x00.org"])
def test_a_hostile_name_moves_no_cursor(name):
    done = CliRunner().invoke(app, ["explain", name])
    assert done.exit_code == 0 and done.output.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "args", [("a..org",), ("x" * 64 + ".org",), ("example.org", "--client", "nobody"), ("example.org", "--type", "ODD")]
)  # fmt: skip
def test_what_cannot_be_asked_is_not_explained(args):
    done = CliRunner().invoke(app, ["explain", *args])
    assert done.exit_code == 2 and done.stdout == ""


def test_asking_where_no_hub_runs_says_what_to_do():
    assert "name its configuration with --config" in said("query")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--action", "blocked"), "'review', 'block'"),
        (("--client", "nobody"), "'nobody' does not appear to be"),
    ],
)
def test_a_filter_that_nothing_can_be_like_is_refused(args, words):
    assert words in " ".join(said("query", *args, status=2).replace("│", "").split())


def test_files_that_cannot_be_read_are_named(tmp_path):
    assert f"{tmp_path / 'gone'}: " in said("lists", "check", str(tmp_path / "gone"))
    assert said("score", str(tmp_path)) == f"{tmp_path}: Is a directory\n"


def test_scores_are_one_line_a_name(tmp_path):
    (tmp_path / "names").write_text("example.org\n")
    row = json.loads(said("score", "names", "--format", "jsonl", status=0))
    assert (row["name"], row["action"]) == ("example.org", "allow")


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
