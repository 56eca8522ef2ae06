"""A network's first run: wrong listeners, wrong shapes, no numbers, and what would eat the memory."""

import random
import resource
import time

import numpy as np
import pytest
from onnx import TensorProto, helper

from namewarden.detector import graph, trial
from namewarden.detector.folder import ModelError
from namewarden.detector.model import PACKAGED
from tests.detector.networks import CLASSES, network, node, shifting, voting

FLOATS = node("Cast", ["rows"], ["x"], to=TensorProto.FLOAT)
AXIS = {"axis": np.array([1], np.int64)}
ADDED = node("ReduceSum", ["x", "axis"], ["sum"], keepdims=1)


def said(data, classes=0):
    assert graph.fault(data) == ""
    with pytest.raises(ModelError) as refused:
        trial.run(data, classes)
    return str(refused.value)


def test_ours_pass():
    trial.run((PACKAGED / "model.onnx").read_bytes(), 0)
    trial.run(voting(), len(CLASSES))
    trial.run(voting(), 0)


def test_listeners_have_names():
    other = [helper.make_tensor_value_info("lines", TensorProto.INT32, ["n", "w"])]
    assert "reads 'lines', not rows" in said(
        network([node("Cast", ["lines"], ["logits"], to=1)], inputs=other)
    )
    assert "gives 'scores', not 'logits'" in said(
        network([node("Cast", ["rows"], ["scores"], to=1)], outputs={"scores": ["n", "w"]})
    )
    assert "not 'logits', 'families'" in said(voting(with_families=False), len(CLASSES))


def test_another_input_beside_rows_is_refused():
    both = [
        helper.make_tensor_value_info(name, TensorProto.INT32, ["n", "w"])
        for name in ("rows", "more")
    ]
    data = network([node("Cast", ["rows"], ["logits"], to=1)], inputs=both)
    assert "reads 'rows', 'more', not rows" in said(data)


def test_shapes():
    assert "logits of shape" in said(
        network([node("Cast", ["rows"], ["logits"], to=1)], outputs={"logits": ["n", "w"]})
    )
    assert "families of shape" in said(voting(), len(CLASSES) + 1)


def test_one_number_is_no_table_of_families():
    nodes = [FLOATS, ADDED, node("Identity", ["sum"], ["logits"]),
             node("ReduceSum", ["x"], ["families"], keepdims=0)]  # fmt: skip
    data = network(nodes, AXIS, {"logits": ["names", 1], "families": []})
    assert "families of shape () for 7 names" in said(data, len(CLASSES))


@pytest.mark.parametrize("operator", ["Pad", "Slice"])
def test_what_a_label_changes_is_not_found_here(operator):
    """Why `graph.py` looks at where shapes come from."""
    trial.run(shifting(operator), 0)
    assert graph.fault(shifting(operator))


def test_a_type_that_the_file_does_not_have():
    assert "does not load" in said(network([node("Identity", ["rows"], ["logits"])]))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_logits_must_be_numbers(number):
    nodes = [FLOATS, ADDED, node("Mul", ["sum", "odd"], ["logits"])]
    assert "no finite numbers" in said(network(nodes, AXIS | {"odd": np.float32(number)}))


def test_rows_of_a_fixed_number_are_refused():
    nodes = [FLOATS, node("Reshape", ["x", "one"], ["logits"])]
    assert "on its first names" in said(network(nodes, {"one": np.array([7, 1], np.int64)}))


@pytest.mark.parametrize("doublings", [22, 40])
def test_a_bomb_of_doublings_is_refused_and_takes_no_memory(doublings):
    nodes = [FLOATS]
    names = ["x", *(f"x{n}" for n in range(doublings))]
    for name, doubled in zip(names, names[1:], strict=False):
        nodes.append(node("Concat", [name, name], [doubled], axis=1))
    nodes.append(node("ReduceSum", [names[-1], "axis"], ["logits"], keepdims=1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "on its first names" in said(network(nodes, AXIS))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown <= 1.2 * trial.MEMORY


def test_a_wide_padding_is_refused():
    pads = {"pads": np.array([0, 0, 0, 1 << 40], np.int64)}
    nodes = [FLOATS, node("Pad", ["x", "pads"], ["wide"]),
             node("ReduceSum", ["wide", "axis"], ["logits"], keepdims=1)]  # fmt: skip
    began = time.monotonic()
    assert "on its first names" in said(network(nodes, AXIS | pads))
    assert time.monotonic() - began < trial.SECONDS


def test_what_takes_too_long_is_stopped():
    """Two hundred products of large matrices, which would take many seconds."""
    size = 2048
    values = AXIS | {"in": np.zeros((1, size), np.float32), "w": np.zeros((size, size), np.float32)}
    nodes = [FLOATS, ADDED, node("MatMul", ["sum", "in"], ["h0"])]
    nodes += [node("MatMul", [f"h{n}", "w"], [f"h{n + 1}"]) for n in range(200)]
    nodes.append(node("ReduceSum", ["h200", "axis"], ["logits"], keepdims=1))
    data = network(nodes, values)
    began = time.monotonic()
    with pytest.raises(ModelError, match="takes more than 0.05 s on its first names"):
        trial.run(data, 0, seconds=0.05)
    assert time.monotonic() - began < 5


def test_a_flatbuffer_in_disguise_is_not_taken_for_one():
    """Its mark at octet 4 makes ONNX Runtime read another format, which nobody has looked at."""
    data = b"\x12\x08__ORTM__" + voting()
    assert data[4:8] == b"ORTM" and graph.fault(data) == ""
    trial.run(data, 0)


@pytest.mark.parametrize("name", ["\x1b[2J\x07", "\r\nall is well", "\u202e"])
def test_what_a_file_says_moves_no_cursor(name):
    nodes = [FLOATS, node("Reshape", ["x", "one"], ["logits"], name=name)]
    assert said(network(nodes, {"one": np.array([7, 1], np.int64)})).isprintable()
    assert said(network([node("Identity", ["rows"], ["logits"], name=name)])).isprintable()


def test_changed_octets_are_refused_in_words_or_run(capfd):
    """Three hundred networks with an octet or two changed: an answer each, and nothing printed."""
    dice, good, refused = random.Random(8), voting(), 0
    for _ in range(300):
        data = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        try:
            if not graph.fault(bytes(data)):
                trial.run(bytes(data), len(CLASSES))
                continue
        except ModelError as error:
            assert str(error).isprintable()
        refused += 1
    assert refused > 50
    assert capfd.readouterr() == ("", "")
