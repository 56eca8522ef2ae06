"""The model at run time: the same answer whatever is beside a name, and families for names that are not benign."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from namewarden.detector.bands import settle
from namewarden.detector.model import Model, ModelError
from namewarden.detector.trial import AT_ONCE
from tests.detector import conformance
from tests.detector.networks import (
    CLASSES,
    growing_by_names,
    network,
    node,
    shifting,
    voting,
    write,
)

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def knows(tmp_path):
    def make(**changes):
        known = {"family_classes": CLASSES, "family_threshold": 0.5}
        folder = write(tmp_path / "model", voting(), **{**known, **changes})
        return Model(folder)

    return make


def test_p_values_fall_as_names_grow_suspicious():
    scores = Model().score_batch(
        ["wikipedia", "weather", "xkcd", "kctcynooqtglbwk", "q9x7zk2vwj4p8xz"]
    )
    ordered = sorted(scores, key=lambda score: score.logit)
    assert [s.p_value for s in ordered] == sorted((s.p_value for s in scores), reverse=True)
    assert ordered[0].p_value > 0.1 > ordered[-1].p_value


def test_p_values_at_the_thresholds_are_their_rates():
    model = Model()
    for limit, rate in zip(
        msgspec.structs.astuple(model.thresholds), (1e-2, 1e-3, 1e-4), strict=True
    ):
        found = model._p_values.of(limit)
        assert 0.5 * rate < found < 2 * rate


def test_raw_logits_come_in_the_order_of_the_labels():
    model = Model()
    labels = ["example", "q" * 40, "weather", "z" * 63, ""]
    alone = [float(model.raw([label])[0]) for label in labels]
    assert np.array_equal(model.raw(labels), np.array(alone))


def test_many_at_once_are_judged_as_few_are():
    model = Model()
    labels = conformance.made_up(500) + ["example", "google", "q" * 63]
    many = model.score_batch(labels)
    few = [model.score_batch(labels[i : i + 3]) for i in range(0, len(labels), 3)]
    assert many == [score for batch in few for score in batch]
    assert many[::5] == [model.score_batch([label])[0] for label in labels[::5]]


@pytest.mark.parametrize(
    ("label", "band", "family"),
    [
        ("aaaa", "malicious", "alpha"),
        ("bbbba", "malicious", "beta"),
        ("cccc", "malicious", ""),  # the class of the unknown
        ("ccccaaa", "malicious", ""),
        ("aab", "uncertain", "alpha"),
        ("a", "benign", ""),  # never told of a benign name
        ("axxx", "benign", ""),
    ],
)
def test_families_are_told_of_names_that_are_not_benign(knows, label, band, family):
    model = knows()
    (score,) = model.score_batch([label])
    assert (score.band, score.family) == (band, family)
    beside = model.score_batch([*conformance.made_up(40), "bbbb", label, "example"])
    assert beside[-2] == score


def test_a_family_that_is_not_probable_enough_is_not_told(knows):
    share = float(1 / (1 + 2 * np.exp(-4)))  # of alpha in "aaaa": logits 0, 4, 0
    for threshold, family in ((0.0, "alpha"), (share - 1e-9, "alpha"), (share + 1e-9, "")):
        (score,) = knows(family_threshold=threshold).score_batch(["aaaa"])
        assert score.family == family


UNDER = {
    "alpha": {"": -9.0, "com": -0.1, "co.uk": -9.0},
    "beta": {"": -0.1, "com": -9.0},
    "unknown": {"": -2.0},
}


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("aabb", ""),  # as likely one as the other
        ("aabb.com", "alpha"),
        ("aabb.net", "beta"),
        ("aabb.co.uk", "beta"),
        ("aaaaaaaaaaaaaaaa.net", "alpha"),  # the label may say more than the suffix
        ("cccc.com", ""),
        ("a.com", ""),
        ("axxx.com", ""),
    ],
)
def test_the_family_heeds_the_suffix_and_nothing_else_does(knows, name, family):
    model = knows(family_suffixes=UNDER)
    (score,) = model.score_batch([name])
    (alone,) = model.score_batch([name.partition(".")[0]])
    assert score.family == family
    assert msgspec.structs.replace(score, family="") == msgspec.structs.replace(alone, family="")
    beside = model.score_batch([*conformance.made_up(40), name, "example.com", "aaaa"])
    assert beside[-3] == score


def test_without_a_table_the_suffix_says_nothing(knows):
    model = knows()
    names = ["aaaa.com", "aabb.co.uk", "xqzjvkwpfhgtrbnm.net", "weather.org"]
    assert model.manifest.family_suffixes == {}
    assert model.score_batch(names) == model.score_batch([n.partition(".")[0] for n in names])


def test_the_packaged_model_tells_families_by_their_suffix():
    model = Model()
    names = ["qvnwkzcmxnbt.com", "qvnwkzcmxnbt.ws", "qvnwkzcmxnbt.kz"]
    found = model.score_batch(names)
    assert len({score.family for score in found}) > 1
    assert len({score.logit for score in found}) == 1


def test_family_logits_for_measurements(knows):
    found = knows().families(["aab", "c", ""])
    assert found.tolist() == [[0, 2, 1], [1, 0, 0], [0, 0, 0]]
    assert found.dtype == np.float64
    packaged = Model()
    classes = len(packaged.manifest.family_classes)
    assert packaged.families(["example", "google"]).shape == (2, classes)


def test_a_model_whose_classes_nobody_named_knows_no_families(knows):
    model = knows(family_classes=())
    assert model.families(["aaaa"]).shape == (1, 0)
    assert model.score_batch(["aaaa"])[0].family == ""


def test_a_model_with_families_conforms(knows):
    conformance.check(knows())
    conformance.check(knows(family_suffixes=UNDER))


def test_families_cost_nothing_when_the_band_is_benign(knows):
    """Its graph without families is what runs: ONNX Runtime has thrown away what nobody fetches."""
    model = knows()
    assert [each.name for each in model.network._logits.get_outputs()] == ["logits"]
    assert [each.name for each in model.network._families.get_outputs()] == ["logits", "families"]


def test_what_cannot_be_run_is_named_with_its_folder(tmp_path):
    folder = write(tmp_path / "model", voting(with_families=False), family_classes=CLASSES)
    with pytest.raises(ModelError, match="model.onnx gives 'logits', not 'logits', 'families'"):
        Model(folder)


@pytest.mark.parametrize("others", [0, 20])
def test_no_number_is_no_score(tmp_path, others):
    """The trial's labels have no y: what they do not show is found at the name that does."""
    table = np.zeros((40, 1), np.float32)
    table[25] = np.nan
    nodes = [
        node("Gather", ["table", "rows"], ["votes"]),
        node("ReduceSum", ["votes", "axis"], ["logits"], keepdims=0),
    ]
    data = network(nodes, {"table": table, "axis": np.array([1], np.int64)})
    model = Model(write(tmp_path / "model", data))
    with pytest.raises(ModelError, match="no number"):
        model.score_batch(["y"] + ["a"] * others)


@pytest.mark.parametrize("operator", ["Pad", "Slice"])
def test_a_network_whose_shape_a_label_changes_is_refused(tmp_path, operator):
    with pytest.raises(ModelError, match="shape depends on more than constants"):
        Model(write(tmp_path / "model", shifting(operator)))


def test_a_shape_that_the_trial_did_not_see_is_an_error_that_names_the_model(tmp_path):
    data = growing_by_names(AT_ONCE)
    model = Model(write(tmp_path / "model", data, family_classes=("unknown",)))
    assert model.raw(["a"] * (AT_ONCE - 1)).tolist() == [16] * (AT_ONCE - 1)
    said = rf"model {model.model} does not run: it gives {{}} of shape \(129, 1\) for 128 names"
    for ask, output in (
        (model.score_batch, "logits"),
        (model.raw, "logits"),
        (model.families, "families"),
    ):
        with pytest.raises(ModelError, match=said.format(output)):
            ask(["a"] * AT_ONCE)


def test_temperature_divides(knows):
    (score,) = knows(temperature=2.0).score_batch(["aaaaa"])
    assert score.logit == settle(5.0, 2.0) == 2.5


def test_nothing_is_written_at_home(tmp_path):
    """ONNX Runtime would keep a device id there. It also keeps quiet when it sees CI, so that is hidden from it."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "HOME": str(tmp_path)}
    program = "from namewarden.detector.model import Model; Model().raw(['example'])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []
    assert done.stderr == ""
