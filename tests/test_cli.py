"""What the commands say to right and wrong use, where nothing needs to run."""

import json

import pytest
from typer.testing import CliRunner

from namewarden.cli import app


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


def test_explaining_where_nothing_ever_ran_says_so_and_leaves_nothing(tmp_path):
    assert f"no policy in {tmp_path / 'var'}" in said("explain", "example.org")
    assert not (tmp_path / "var").exists()


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
