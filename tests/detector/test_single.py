"""One label at a time gives, to the last bit, what many at once do; also when several threads ask."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from namewarden.detector import encoding, trial
from namewarden.detector.model import Model, ModelError
from namewarden.detector.single import Single
from tests.detector.networks import network, node, shifting, write

LABELS = ["example", "xjq7k2vbn", "", "a", "weather-of-the-world", "q" * 63, "bücher", "x" * 300]


@pytest.fixture(scope="module")
def model():
    return Model(environ={"NAMEWARDEN_PURE": "1"})


def test_alone_as_among_others(model):
    together = model.raw(LABELS).tolist()
    assert [model.network._single.logit(label) for label in LABELS] == together
    assert [model.network._single.logit(label) for label in reversed(LABELS)] == together[::-1]


def test_threads_do_not_disturb_each_other(model):
    many = LABELS * 40
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(model.network._single.logit, many))
    assert found == model.raw(many).tolist()


@pytest.mark.parametrize("width", encoding.WIDTHS)
def test_a_row_is_written_as_encoded(width):
    row = np.full(width, 7, np.int32)
    for label in LABELS:
        encoding.write(label, row)
        assert (row == encoding.encode([label], width)[0]).all()


def summing(axes, declared):
    """Every octet of the row counts one."""
    nodes = [
        node("Gather", ["table", "rows"], ["votes"]),
        node("ReduceSum", ["votes", "axes"], ["logits"], keepdims=0),
    ]
    values = {"table": np.ones((40, 1), np.float32), "axes": np.array(axes, np.int64)}
    return network(nodes, values, {"logits": declared})


@pytest.mark.parametrize("axes", [[1], [1, 2]])
def test_a_network_may_give_a_column_or_a_list(tmp_path, axes):
    data = summing(axes, ["names", 1][: 3 - len(axes)])
    assert Model(write(tmp_path / "model", data)).score_batch(["a"])[0].logit > 14


def test_a_network_that_answers_seven_names_and_not_one_is_refused(tmp_path):
    with pytest.raises(ModelError, match="does not run on one name"):
        Model(write(tmp_path / "model", summing([1], [7, 1])))


def test_a_logit_of_another_shape_is_an_error_that_the_model_knows():
    """The network leaves a name out at this label alone."""
    single = Single(trial.session(shifting("Slice")))
    assert single.logit("a" * 25) == 25
    with pytest.raises(trial.BROKEN, match="shape"):
        single.logit("z" * 25)
