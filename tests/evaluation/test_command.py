"""The whole command on a few names, with the packaged model: files, figures, page, comparison."""

import msgspec
import pytest
from typer.testing import CliRunner

from namewarden.cli import app
from namewarden.detector.model import PACKAGED
from namewarden.evaluation import figures, report
from namewarden.evaluation.page import MARKERS
from tests.evaluation.small import corpus, write_lists


def said(*args, status=0):
    done = CliRunner().invoke(app, ["evaluate", *map(str, args)])
    assert done.exit_code == status, done.output
    return done.output


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation")
    return out, said("--data", write_lists(out / "data"), "--out", out / "out", "--quick")


def test_the_report_has_every_section_and_says_what_was_not_measured(measured):
    _, text = measured
    for words in (
        "### Found and wrongly found",
        "| known | 2 |",
        "### Hard benign names",
        "Leave-one-generator-out: not measured",
        "tunnels: not measured",
        "● ",
        "| known | locky_v2 |",
    ):
        assert words in text, words


def test_figures_and_report_agree_and_the_card_has_them(measured):
    out, _ = measured
    found = figures.read(out / "out" / "packaged.json")
    assert report.render(found) == (out / "out" / "packaged.md").read_text()
    card = (out / "out" / "card.md").read_text()
    assert found.about.quick and "### By family" in card and "### The network" not in card


def test_another_models_figures_are_set_beside(measured):
    out, _ = measured
    found = figures.read(out / "out" / "packaged.json")
    other = msgspec.structs.replace(
        found, about=msgspec.structs.replace(found.about, subject="recipe-x", title="recipe x")
    )
    figures.write(out / "out" / "recipe-x.json", other)
    (out / "out" / "left-out-x.json").write_text("[]")
    text = said("--data", out / "data", "--out", out / "out", "--quick", "--no-attacks")
    assert "### Beside other models" in text and "| recipe x, quick run | known |" in text
    assert "The cheapest attacks: not measured" in text


@pytest.fixture
def few(tmp_path):
    """Options of a recipe fitted on few names, twice."""
    pytest.importorskip("sklearn", reason="needs the extra `train`")
    from namewarden.training.fit import fit
    from namewarden.training.recipe import FitOptions

    kept = tmp_path / "names.msgpack"
    kept.write_bytes(msgspec.msgpack.encode(corpus()))
    fit("ngram-lr", corpus(), tmp_path / "fits", FitOptions(made_up=0, examples=60, epochs=2))
    fast = ("--recipe", "ngram-lr", "--quick", "--no-attacks", "--out", tmp_path / "out")
    return tmp_path, (*fast, "--fitted", tmp_path / "fits")


def test_a_recipe_is_named_by_the_terms_on_which_it_was_fitted(few):
    folder, options = few
    assert "Recipe ngram-lr, 60 names, seen 2×" in said(
        *options, "--data", folder / "names.msgpack"
    )
    found = figures.read(folder / "out" / "recipe-ngram-lr-60x2.json")
    assert found.about.recipe == "ngram-lr" and found.beside is None
    assert not (folder / "out" / "card.md").exists()


def test_a_recipe_learns_from_other_names_than_it_is_measured_on(few, measured):
    from namewarden.training.fit import fit
    from namewarden.training.recipe import FitOptions

    folder, options = few
    benign = {**corpus().benign, "train": ["harbours", "bakeries", "gardens"]}
    others = msgspec.structs.replace(corpus(), benign=benign)
    (folder / "names.msgpack").write_bytes(msgspec.msgpack.encode(others))
    fit("ngram-lr", others, folder / "more", FitOptions(made_up=0, examples=30, epochs=2))
    learn = ("--learn", folder / "names.msgpack")
    said(*options[:-1], folder / "more", "--data", measured[0] / "data", *learn)
    found = figures.read(folder / "out" / "recipe-ngram-lr-30x2-from-names.json")
    assert (
        found.about.learned_from == "names.msgpack" and found.about.names == "the lists of --data"
    )


def test_folds_are_of_the_recipe_on_its_terms(few):
    folder, options = few
    again = (*options, "--data", folder / "names.msgpack")
    assert "2 of 2 folds" in said(*again, "--left-out", "--folds", "2")
    assert (folder / "out" / "fold-1-of-2-ngram-lr-60x2" / "ngram-lr").is_dir()
    assert "2 of 2 folds" in said(*again)


def test_a_folder_of_a_model_writes_page_and_card(measured, tmp_path):
    out, _ = measured
    folder = tmp_path / "model"
    folder.mkdir()
    for each in PACKAGED.iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n{MARKERS[0]}\n{MARKERS[1]}\n")
    kept = tmp_path / "corpus.msgpack"
    kept.write_bytes(msgspec.msgpack.encode(corpus()))
    said(
        "--data",
        kept,
        "--model",
        folder,
        "--out",
        tmp_path / "out",
        "--quick",
        "--write-docs",
        page,
    )
    assert "### Bias" in page.read_text() and "### Bias" in (folder / "card.md").read_text()
    assert figures.read(page.with_suffix(".json")).about.subject.startswith("model-")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--data", "nowhere"), "has no split/train_dga.tsv.gz"),
        (("--model", "nowhere"), "nowhere"),
        (("--left-out",), "needs --recipe"),
        (("--recipe", "own", "--left-out", "--learn", "-"), "not with --learn"),
    ],
)
def test_what_is_missing_is_said(args, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in said(*args, status=1)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    told = said("--data", tmp_path, "--out", tmp_path / "file" / "out", status=1)
    assert told == f"{tmp_path / 'file' / 'out'}: Not a directory\n"


def test_a_recipe_that_is_not_there(tmp_path):
    assert "no recipe nothing; there are" in said(
        "--recipe", "nothing", "--out", tmp_path, status=1
    )
