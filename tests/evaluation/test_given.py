"""Names come from lists or from a kept corpus, and what is missing is said."""

from pathlib import Path

import msgspec
import pytest

from namewarden.evaluation.given import MissingError, as_learned, corpus_of, load, not_taught
from namewarden.training.data import BENIGN, GENERATED, side
from tests.evaluation.small import corpus, write_lists


def test_lists_are_read_once(tmp_path):
    data, told = write_lists(tmp_path / "data"), []
    first = load(data, frozenset({"tinba"}), tmp_path, told.append)
    assert list(first.corpus.unseen) == ["tinba"] and len(told) == 2
    assert load(data, frozenset({"tinba"}), tmp_path, told.append).corpus == first.corpus
    assert len(told) == 2
    other = load(data, frozenset(), tmp_path, told.append)
    assert not other.corpus.unseen and len(told) == 4


def test_a_kept_corpus_serves(tmp_path):
    path = tmp_path / "corpus.msgpack"
    path.write_bytes(msgspec.msgpack.encode(corpus()))
    assert load(path, frozenset(), tmp_path, lambda what: None).corpus == corpus()
    path.write_bytes(b"junk")
    with pytest.raises(MissingError, match="is no kept corpus"):
        load(path, frozenset(), tmp_path, lambda what: None)


def test_labels_alone_serve_to_learn_from(tmp_path):
    data, told = write_lists(tmp_path / "data"), []
    assert corpus_of(data, frozenset({"tinba"}), tmp_path, told.append).known["train"]
    assert told == ["reading the lists (a minute)"]


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(MissingError, match=f"has no {GENERATED}"):
        load(tmp_path, frozenset(), tmp_path, lambda what: None)
    data = write_lists(tmp_path / "data")
    gone = data / next(iter(BENIGN))
    gone.unlink()
    with pytest.raises(MissingError, match=gone.name):
        load(data, frozenset(), tmp_path, lambda what: None)


def test_a_family_that_the_model_learned_from_is_not_called_unseen():
    """A corpus kept while recipes were compared, and a model of all families."""
    seen = as_learned(corpus(), ("gozi", "tinba", "locky_v2"))
    assert seen.choose == {} and list(seen.unseen) == ["few"]
    divided = {each: found["tinba"] for each, found in seen.known.items() if "tinba" in found}
    assert all(side(label) == each for each, found in divided.items() for label in found)
    assert sum(map(len, divided.values())) == len(corpus().unseen["tinba"])
    assert as_learned(corpus(), ()) == corpus()


def test_no_threshold_is_set_on_labels_that_other_names_teach():
    taught = corpus().benign["calibration"][:2]
    by = msgspec.structs.replace(corpus(), benign={"train": taught})
    left = not_taught(corpus(), by, Path("lists")).benign
    assert left["calibration"] == corpus().benign["calibration"][2:]
    with pytest.raises(MissingError, match="lists holds no benign names to set thresholds"):
        not_taught(corpus(), corpus(), Path("lists"))
    assert left["train"] == corpus().benign["train"] and left["test"] == corpus().benign["test"]
