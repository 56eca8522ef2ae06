"""Names come from lists or from a kept corpus, and what is missing is said."""

from pathlib import Path

import msgspec
import pytest

from namewarden.evaluation.given import (
    Given,
    MissingError,
    as_learned,
    corpus_of,
    load,
    not_taught,
)
from namewarden.evaluation.names import WholeNames, without_lists
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


def taught(*labels):
    """A corpus that teaches these as benign."""
    return msgspec.structs.replace(corpus(), benign={"train": list(labels)})


def measures(**changes):
    return Given(msgspec.structs.replace(corpus(), **changes), without_lists(), "tests")


def test_no_threshold_is_set_on_labels_that_other_names_teach():
    first, second, *rest = corpus().benign["calibration"]
    left = not_taught(measures(), taught(first, second), Path("lists")).corpus.benign
    assert left["calibration"] == rest
    assert left["train"] == corpus().benign["train"] and left["test"] == corpus().benign["test"]
    with pytest.raises(MissingError, match="lists holds no benign names to set thresholds"):
        not_taught(measures(), corpus(), Path("lists"))


def test_names_that_came_later_are_none_that_other_names_teach():
    """Of whole names by the label that is scored, in any case and below whatever suffix it stands."""
    asked = ["www.garden.org", "GARDEN.co.uk", "garden.ddns.net", "garden.github.io", "garden",
             "garden.bakery.org", "gardens.org", "x1.d111abcdef8.cloudfront.net"]  # fmt: skip
    names = WholeNames({"banks": ["garden.org"]}, {"a list": ["garden", "gardens"]}, None)
    given = measures(single=["bakeries", "garden"], queried=asked, popular=["garden"])
    left = not_taught(msgspec.structs.replace(given, names=names), taught("garden"), Path("lists"))
    assert left.corpus.queried == asked[4:]
    assert left.corpus.single == ["bakeries"] and left.names.newer == {"a list": ["gardens"]}
    assert left.corpus.popular == ["garden"] and left.names.sorts == names.sorts
