"""What is kept is what was given, and a folder belongs to one run."""

import gzip

import msgspec
import numpy as np
import pytest

from namewarden.evaluation.given import MissingError
from namewarden.evaluation.given import load as load_names
from namewarden.training.data import GENERATED
from namewarden.training.kept import (
    NamesError,
    claim,
    digest,
    find_data,
    load,
    load_corpus,
    made_of,
    save,
    source,
)
from namewarden.training.recipe import FitOptions, Recipe
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
    claim(tmp_path, RECIPE, FitOptions(), corpus())
    claim(tmp_path, RECIPE, FitOptions(), corpus())
    assert made_of(tmp_path).recipe == "some"
    other = msgspec.structs.replace(corpus(), single=["another"])
    for options, names in ((FitOptions(seed=1), corpus()), (FitOptions(), other)):
        with pytest.raises(SystemExit, match="other names, options or recipe"):
            claim(tmp_path, RECIPE, options, names)


def test_what_was_learned_before_suffixes_were_counted_goes_on(tmp_path):
    claim(tmp_path, RECIPE, FitOptions(), corpus())
    counted = msgspec.structs.replace(corpus(), suffixes={"some": {"com": 1}})
    claim(tmp_path, RECIPE, FitOptions(), counted)
    assert digest(counted) == digest(corpus())


def test_a_corpus_of_a_file_is_kept_beside_the_state(tmp_path):
    given = tmp_path / "given.msgpack"
    given.write_bytes(msgspec.msgpack.encode(corpus()))
    assert load_corpus(given, tmp_path / "out") == corpus()
    given.unlink()
    assert load_corpus(given, tmp_path / "out") == corpus()


def test_what_is_no_corpus_is_not_kept(tmp_path):
    given, out = tmp_path / "given.msgpack", tmp_path / "out"
    given.write_bytes(b"junk")
    with pytest.raises(msgspec.DecodeError):
        load_corpus(given, out)
    given.write_bytes(msgspec.msgpack.encode(corpus()))
    assert load_corpus(given, out) == corpus()


def test_a_folder_keeps_the_names_of_one_place(tmp_path):
    given, other = tmp_path / "given.msgpack", tmp_path / "other.msgpack"
    for path in (given, other):
        path.write_bytes(msgspec.msgpack.encode(corpus()))
    assert source(tmp_path / "out") is None
    load_corpus(given, tmp_path / "out")
    assert source(tmp_path / "out") == given
    with pytest.raises(SystemExit, match="keeps the names of .*given.msgpack, not of .*other"):
        load_corpus(other, tmp_path / "out")


@pytest.mark.parametrize(
    "octets", [b"\x1f\x8bjunk", gzip.compress(b"some.org\n" * 99, mtime=0)[:-9], b"one.org"]
)
def test_a_list_that_cannot_be_read_is_said(tmp_path, octets):
    """No gzip, cut short, and lines without the columns that they need."""
    data = write_lists(tmp_path / "data")
    whole = data / GENERATED
    whole.write_bytes(gzip.compress(octets) if octets == b"one.org" else octets)
    with pytest.raises(NamesError, match="has a list that cannot be read"):
        load_corpus(data, tmp_path / "out")
    with pytest.raises(MissingError, match="has a list that cannot be read"):
        load_names(data, frozenset(), tmp_path, lambda what: None)


def test_the_lists_are_found_beside_the_checkout(tmp_path):
    here = tmp_path / "checkout"
    here.mkdir()
    assert find_data(here) != tmp_path / "shared" / "data"
    write_lists(tmp_path / "shared" / "data")
    assert find_data(here) == tmp_path / "shared" / "data"
