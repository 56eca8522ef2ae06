"""What is kept is what was given, and a folder belongs to one run."""

import msgspec
import numpy as np
import pytest

from namewarden.training.kept import claim, digest, find_data, load, load_corpus, made_of, save
from namewarden.training.recipe import Options, Recipe
from tests.evaluation.small import write_lists
from tests.training.small import corpus

RECIPE = Recipe(name="some", source="tests", layers="none")


def test_arrays_come_back(tmp_path):
    save(tmp_path / "a.npz", {"x": np.arange(3), "y": np.zeros((2, 2))})
    assert load(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        load(tmp_path / "a.npz")


def test_a_folder_is_of_one_recipe_one_corpus_one_set_of_options(tmp_path):
    claim(tmp_path, RECIPE, Options(), corpus())
    claim(tmp_path, RECIPE, Options(), corpus())
    assert made_of(tmp_path).recipe == "some"
    other = msgspec.structs.replace(corpus(), single=["another"])
    for options, names in ((Options(seed=1), corpus()), (Options(), other)):
        with pytest.raises(SystemExit, match="other names, options or recipe"):
            claim(tmp_path, RECIPE, options, names)


def test_what_was_learned_before_suffixes_were_counted_goes_on(tmp_path):
    claim(tmp_path, RECIPE, Options(), corpus())
    counted = msgspec.structs.replace(corpus(), suffixes={"some": {"com": 1}})
    claim(tmp_path, RECIPE, Options(), counted)
    assert digest(counted) == digest(corpus())


def test_a_corpus_of_a_file_is_kept_beside_the_state(tmp_path):
    given = tmp_path / "given.msgpack"
    given.write_bytes(msgspec.msgpack.encode(corpus()))
    assert load_corpus(given, tmp_path / "out") == corpus()
    given.unlink()
    assert load_corpus(given, tmp_path / "out") == corpus()


def test_the_lists_are_found_beside_the_checkout(tmp_path):
    here = tmp_path / "checkout"
    here.mkdir()
    assert find_data(here) != tmp_path / "shared" / "data"
    write_lists(tmp_path / "shared" / "data")
    assert find_data(here) == tmp_path / "shared" / "data"
