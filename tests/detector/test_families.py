"""The family's name: label and suffix added up, a threshold below which nothing is said."""

import numpy as np
import pytest

from namewarden.detector.families import Naming, split, table
from namewarden.detector.folder import MOST_SUFFIXES, read
from tests.detector.networks import CLASSES, voting, write

UNDER = {"alpha": {"": -3.0, "com": -0.5}, "unknown": {"": -1.0}}
ROW = np.array([0.0, 1.0, 2.0])


@pytest.fixture
def naming(tmp_path):
    def make(**changes):
        known = {"family_classes": CLASSES, **changes}
        return Naming(read(write(tmp_path / "model", voting(), **known))[0])

    return make


def test_a_name_is_a_label_and_what_is_right_of_its_first_dot():
    found = split(iter(["label", "label.com", "label.co.uk", "", "."]))
    assert found == (["label", "label", "label", "", ""], ["", "com", "co.uk", "", ""])


def test_the_suffix_is_added_to_the_label(naming):
    heeded = naming(family_suffixes=UNDER).heed(np.stack([ROW] * 4), ["com", "net", "co.uk", ""])
    assert heeded.tolist() == [[-1, 0.5, 2], [-1, -2, 2], [-1, -2, 2], [0, 1, 2]]


def test_without_a_table_nothing_is_added(naming):
    assert naming().heed(np.stack([ROW]), ["com"]).tolist() == [ROW.tolist()]
    assert naming().heed(np.zeros((0, 3)), []).shape == (0, 3)


def test_one_word_for_every_suffix_is_heeded(naming):
    made = naming(family_suffixes={"beta": {"": -4.0}})
    assert made.heed(np.stack([ROW]), ["com"]).tolist() == [[0, 1, -2]]


@pytest.mark.parametrize(
    ("row", "family"),
    [
        ((0.0, 1.0, 2.0), "beta"),
        ((2.0, 2.1, 0.0), "alpha"),
        ((2.1, 2.0, 0.0), "alpha"),  # "unknown" is likelier, alpha likely enough
        ((3.0, 2.0, 0.0), ""),
        ((1e30, 0.0, 1.0), ""),
        ((0.0, 1e30, 1.0), "alpha"),
        ((np.nan, 1.0, 0.0), ""),
        ((0.0, np.nan, 0.0), ""),
    ],
)
def test_the_likeliest_known_family_is_named_where_it_is_likely(naming, row, family):
    assert naming(family_threshold=0.3).name(np.array(row)) == family


def test_who_knows_only_the_unknown_names_nobody(naming):
    assert naming(family_classes=("unknown",)).name(np.array([1.0])) == ""


def test_the_table_is_as_large_as_a_manifest_may_make_it(tmp_path):
    classes = ("unknown", *(f"f{number}" for number in range(4000)))
    many = {"": -9.0, **{str(number): -1.0 for number in range(MOST_SUFFIXES - 1)}}
    changes = {"family_classes": classes, "family_suffixes": {"f0": many}}
    rows = table(read(write(tmp_path / "model", voting(), **changes))[0])
    assert sum(row.nbytes for row in rows.values()) < 34e6
