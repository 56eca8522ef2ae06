"""`namewarden train` end to end on a few names: the folder it makes is loaded, and what is missing is said first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("keras", reason="needs the extra `train`")

from namewarden.cli import app
from namewarden.detector.model import Model
from namewarden.training.data import GENERATED
from tests.evaluation.small import write_lists

pytestmark = pytest.mark.timeout(300)  # compiling takes long where others compile too
SOURCE = Path(__file__).parents[2] / "src"
SHORT = ("--examples", "200", "--epochs", "1", "--device", "cpu")


def said(*args, status=0) -> str:
    done = CliRunner().invoke(app, ["train", *map(str, args)])
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with lists, names, weights and model, and what was said when they were made."""
    out = tmp_path_factory.mktemp("train")
    args = ("--data", write_lists(out / "data"), "--out", out / "out", *SHORT)
    return out, args, said(*args)


def test_names_become_a_model_that_loads_and_the_way_on_is_said(run):
    out, _, told = run
    manifest = Model(out / "out" / "model").manifest
    assert manifest.families == ("locky_v2",) and manifest.unseen_families[-1] == "tinba"
    assert f"model {manifest.digest[:12]} is in {out / 'out' / 'model'}" in told
    assert f"namewarden evaluate --model {out / 'out' / 'model'} --data {out / 'data'}" in told
    assert f'path = "{out / "out" / "model"}" below [model]' in told


def test_run_again_it_goes_on_from_what_is_kept(run):
    out, args, _ = run
    before = (out / "out" / "weights.npz").read_bytes()
    (out / "data" / GENERATED).unlink()
    assert f"names: those kept in {out / 'out'}" in said(*args, "--model", out / "model")
    assert (out / "out" / "weights.npz").read_bytes() == before
    assert Model(out / "model").manifest == Model(out / "out" / "model").manifest


def test_a_folder_with_names_of_another_run_is_refused(run):
    _, args, _ = run
    assert "some families are kept away: give another --out" in said(
        *args, "--all-families", status=1
    )
    assert "was begun with other names, options or recipe" in said(*args, "--epochs", "2", status=1)


def test_lists_that_are_not_there_are_named(tmp_path):
    told = said("--data", tmp_path / "gone", "--out", tmp_path / "out", status=1)
    assert f"{tmp_path / 'gone' / GENERATED} is missing" in told


def test_a_model_that_has_no_place_is_said_before_learning(run):
    out, args, _ = run
    place = out / "out" / "made-of.json"
    assert "File exists" in said(*args, "--model", place, status=1)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [("odd", "no recipe odd; there are "), ("nyu-cnn", "namewarden evaluate --recipe nyu-cnn")],
)
def test_a_recipe_that_gives_no_model_is_refused(tmp_path, recipe, words):
    assert words in said("--recipe", recipe, "--out", tmp_path / "out", status=1)
    assert not (tmp_path / "out").exists()


def test_without_the_extra_it_says_what_to_install(tmp_path):
    script = "import sys; sys.modules['keras'] = None; from namewarden.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "train"],
        env=os.environ | {"PYTHONPATH": str(SOURCE)}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "keras is missing: install namewarden[train]\n"
