"""Small files whose constants would take gigabytes when they are loaded."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from namewarden.detector import graph, growth
from namewarden.detector.model import PACKAGED
from tests.detector.networks import network, node, voting

FLOATS = node("Cast", ["rows"], ["x"], to=TensorProto.FLOAT)


def said(nodes, values):
    data = network(nodes, values)
    assert graph.fault(data) == ""
    return growth.fault(data)


def test_ours_pass():
    assert growth.fault((PACKAGED / "model.onnx").read_bytes()) == ""
    assert growth.fault(voting()) == ""


def test_a_weight_of_quantised_numbers_may_be_unpacked():
    values = {"w": np.zeros((64, 4096), np.int8), "scale": np.float32(0.1)}
    nodes = [FLOATS, node("DequantizeLinear", ["w", "scale"], ["wide"]),
             node("Transpose", ["wide"], ["turned"]), node("MatMul", ["x", "wide"], ["logits"])]  # fmt: skip
    assert said(nodes, values) == ""


def test_one_matrix_for_two_hundred_products():
    values = {"w": np.zeros((1024, 1024), np.float32)}
    steps = [node("MatMul", [f"x{n}", "w"], [f"x{n + 1}"]) for n in range(200)]
    assert "more memory" in said([node("Cast", ["rows"], ["x0"], to=1), *steps], values)
    assert said([node("Cast", ["rows"], ["x0"], to=1), *steps[:20]], values) == ""


def test_new_constants_of_old_ones_again_and_again():
    values = {"w": np.zeros((1 << 20,), np.float32)}
    steps = [node("Neg", ["w"], [f"w{n}"]) for n in range(100)]
    assert said(steps[:1], values)  # as many again, and the sum: more than it was
    copies = [node("Identity", ["w"], [f"w{n}"]) for n in range(100)]
    assert "more memory" in said(copies, values)
    assert said(copies[:20], values) == ""


@pytest.mark.parametrize("operator", ["Add", "MatMul", "Mul", "Gather", "Concat"])
def test_large_constants_of_small_ones(operator):
    values = {"a": np.zeros((4000, 1), np.float32), "b": np.zeros((1, 4000), np.float32)}
    assert f"large constants of small ones: '{operator}'" in said(
        [node(operator, ["a", "b"], ["c"])], values
    )


def test_small_constants_may_be_computed():
    values = {"a": np.zeros((64, 1), np.float32), "b": np.zeros((1, 64), np.float32)}
    assert said([node("Add", ["a", "b"], ["c"]), node("Neg", ["c"], ["d"])], values) == ""


@pytest.mark.parametrize("operator", ["Pad", "Conv", "MaxPool"])
def test_what_grows_by_a_number_is_not_for_constants(operator):
    assert "may grow" in said(
        [node(operator, ["a", "b"], ["c"])], {"a": np.zeros(1), "b": np.zeros(1)}
    )


def test_constants_within_nodes_count():
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1 << 21], np.zeros(1 << 21, np.float32))
    inner = node("Constant", [], ["w"], value=tensor)
    assert "more memory" in said(
        [inner, *(node("Identity", ["w"], [f"w{n}"]) for n in range(40))], {}
    )
    listed = node("Constant", [], ["w"], value_ints=[1] * 5000)
    assert "large constants" in said([listed, node("Add", ["w", "w"], ["v"])], {})


def test_nodes_out_of_order_are_refused():
    """What depends on constants alone is found in one pass."""
    nodes = [node("Neg", ["c"], ["logits"]), node("Neg", ["w"], ["c"])]
    assert "not in order" in said(nodes, {"w": np.zeros(4, np.float32)})


def test_long_names_are_not_taken_for_one_another():
    long = "n" * 100
    values = {f"{long}1": np.zeros(1 << 22, np.float32), f"{long}2": np.zeros(1, np.float32)}
    nodes = [node("Identity", [f"{long}1"], [f"c{n}"]) for n in range(20)]
    assert "more memory" in said(nodes, values)


def doubled(data, number, first, last):
    """What says `last` in a field says `first` before it: protobuf reads the last, and so must we."""
    field = number << 3 | 2
    written = bytes([field, len(last)]) + last
    assert data.count(written) == 1
    return data.replace(written, bytes([field, len(first)]) + first + written)


def test_of_an_operator_said_twice_the_last_counts():
    pads = node("Pad", ["w", "a"], ["logits"]).SerializeToString()
    data = network([node("Pad", ["w", "a"], ["logits"])], {"w": np.zeros(1), "a": np.zeros(1)})
    hostile = grown(data, {pads: doubled(pads, 4, b"Cast", b"Pad")})
    assert onnx.load_from_string(hostile).graph.node[0].op_type == "Pad"
    assert "may grow" in growth.fault(hostile)


def test_of_a_name_said_twice_the_last_counts():
    """Two tensors that would be taken for each other."""
    large = numpy_helper.from_array(np.zeros(1 << 22, np.float32), "large").SerializeToString()
    small = numpy_helper.from_array(np.zeros(1, np.float32), "small").SerializeToString()
    nodes = [node("Identity", ["large"], [f"c{n}"]) for n in range(20)]
    data = network(
        nodes, {"large": np.zeros(1 << 22, np.float32), "small": np.zeros(1, np.float32)}
    )
    pairs = {
        large: doubled(large, 8, b"small", b"large"),
        small: doubled(small, 8, b"large", b"small"),
    }
    data = grown(data, pairs)
    assert [each.name for each in onnx.load_from_string(data).graph.initializer] == [
        "large",
        "small",
    ]
    assert "more memory" in growth.fault(data)


def grown(data, pairs):
    """The network with some parts of its graph longer."""
    model = onnx.load_from_string(data)
    inside = model.graph.SerializeToString()
    for part, longer in pairs.items():
        frame = length(len(part)) + part
        assert inside.count(frame) == 1
        inside = inside.replace(frame, length(len(longer)) + longer)
    model.ClearField("graph")
    return model.SerializeToString() + b"\x3a" + length(len(inside)) + inside


def length(size):
    found = []
    while size > 127:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes([*found, size])
