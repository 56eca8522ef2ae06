"""What the export computes beside the network, and when its folder changes; test_train.py exports what has learned."""

import msgspec
import numpy as np
import pytest

pytest.importorskip("keras", reason="needs the extra `train`")

import keras

from namewarden.detector.folder import ModelError, read
from namewarden.training.export import IN_PLACE, export, main, quantiles, replacing
from namewarden.training.recipe import Neural
from tests.detector.networks import tables, voting, write
from tests.training.small import WORDS, corpus


def build(seed, classes):
    """What `voting` says, in Keras."""
    rows = keras.Input(shape=(None,), dtype="int32")
    votes = keras.layers.Embedding(len(tables()[0]), 1, weights=[tables()[0]])(rows)
    return keras.Model(rows, keras.ops.sum(votes, axis=1))


BY_HAND = Neural(
    name="by-hand", source="tests", layers="votes", build=build, graph=lambda model, shift: voting()
)


def names(calibration):
    """Two families, as `voting` has."""
    taught = {"alpha": ["aaaa", "abab"], "beta": ["bbbb"]}
    return msgspec.structs.replace(corpus(), known={"train": taught, "calibration": calibration})


class Looking(dict[str, list[str]]):
    """Generated names that calibrate; looks around whenever they are to be scored."""

    def __init__(self, look):
        super().__init__(alpha=["aabb"], beta=["bbbc"])
        self.look = look

    def values(self):
        self.look()
        return super().values()


def contents(folder):
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@pytest.fixture
def old(tmp_path):
    """A folder with a model that works."""
    return write(tmp_path / "model", voting(), seen="the old one")


def test_quantiles_count_who_is_at_or_above():
    logits = np.array([3.0, 1.0, 2.0, 2.0])
    assert quantiles(logits) == ((1.0, 4), (2.0, 3), (2.0, 3), (3.0, 1))


@pytest.mark.parametrize("names", [1, 2, 99, 100, 101, 10_000])
def test_the_highest_are_kept_one_by_one_and_ranks_to_a_fiftieth(names):
    kept = quantiles(np.arange(float(names)))
    assert list(kept) == sorted(set(kept)) and kept[0] == (0.0, names)
    assert [count for _, count in kept[-100:]] == list(range(min(names, 100), 0, -1))
    counts = np.array([count for _, count in kept])
    assert (counts[:-1] <= np.ceil(counts[1:] * 1.02) + 1).all() and len(kept) < 400


def test_what_has_not_learned_to_the_end_is_no_model(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["export", str(tmp_path), str(tmp_path / "model")])
    with pytest.raises(SystemExit, match=r"weights\.npz is missing"):
        main()
    assert not (tmp_path / "model").exists()


def test_the_old_model_stays_until_the_new_one_is_whole(old):
    seen: list[str] = []
    calibration = Looking(lambda: seen.append(read(old)[0].seen))
    made = export(BY_HAND, build(0, 3), names(calibration), old)
    assert seen == ["the old one"] * 2
    assert read(old)[0] == made.manifest and made.manifest.calibration_names == len(WORDS)
    assert contents(old).keys() == set(IN_PLACE)
    examples = made.manifest.examples
    assert examples and made.raw(list(examples)).tolist() == list(examples.values())


def test_an_export_that_fails_leaves_the_folder_as_it_was(old):
    before = contents(old)
    with pytest.raises(ValueError, match="at least one array"):
        export(BY_HAND, build(0, 3), names({}), old)
    assert contents(old) == before


def test_an_export_that_fails_leaves_no_model_where_none_was(tmp_path):
    with pytest.raises(ValueError, match="at least one array"):
        export(BY_HAND, build(0, 3), names({}), tmp_path / "model")
    assert contents(tmp_path / "model") == {}


def test_what_stands_while_names_are_scored_blocks_nothing(tmp_path):
    """Killed there, nobody tidies up."""
    limits: list[float] = []

    def look():
        (made,) = (tmp_path / "model").iterdir()
        limits.append(read(made)[0].thresholds.one_in_100)

    export(BY_HAND, build(0, 3), names(Looking(look)), tmp_path / "model")
    assert len(limits) == 2 and min(limits) > 1e6


@pytest.mark.parametrize("stuck", IN_PLACE)
def test_a_folder_half_replaced_is_the_old_model_or_refused(tmp_path, stuck):
    """As after a kill between two renames: the file that cannot be replaced, and those after it, are the old ones."""
    old = write(tmp_path / "model", voting(), seen="the old one")
    (old / "card.md").write_text("old")
    before = contents(old)
    with pytest.raises(IsADirectoryError), replacing(old) as new:
        write(new, voting(with_families=False))
        (new / "card.md").write_text("new")
        (old / stuck).unlink()
        (old / stuck).mkdir()
    (old / stuck).rmdir()
    (old / stuck).write_bytes(before[stuck])
    assert contents(old).keys() == set(IN_PLACE)
    if stuck == "manifest.json":
        with pytest.raises(ModelError, match="its digest is not the manifest's"):
            read(old)
    else:
        assert read(old)[0].seen == "the old one"
