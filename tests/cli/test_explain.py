"""One name explained where nothing runs: by the model alone, in words and for scripts."""

import json

import pytest
from typer.testing import CliRunner

from namewarden.cli import app
from tests.cli.saying import said


@pytest.mark.parametrize("name", ["", "https://example.org/x"])
def test_what_is_no_name_is_not_explained(name):
    assert "is no name such as" in said("explain", name, status=2)


def test_explaining_where_nothing_ever_ran_is_by_the_model_alone_and_leaves_nothing(tmp_path):
    told = said("explain", "WWW.kctcynooqtglbwkqpvx.org", status=0)
    assert f"no policy in {tmp_path / 'var'}" in told
    assert "judged     kctcynooqtglbwkqpvx, of the registered domain" in told
    assert "█" in told and "what the chain does" not in told
    assert not (tmp_path / "var").exists()


def test_what_is_wrong_with_the_configuration_is_told_once(tmp_path):
    (tmp_path / "my.toml").write_text('[model]\npath = "nowhere"\n')
    (tmp_path / "var" / "snapshots").mkdir(parents=True)
    told = said("explain", "www.example.org", "--config", "my.toml", status=0)
    assert told.count("until then the packaged model judges") == 1 and "no policy yet" in told


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
