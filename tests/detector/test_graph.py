"""Hostile networks are refused by what they are made of, with the reason; ours are not."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from namewarden.detector import graph, trial
from namewarden.detector.graph import MOST_NODES, OPERATORS, SHAPED, fault, without_output
from namewarden.detector.model import PACKAGED
from tests.detector.networks import network, node, parsed, shifting, voting

PACKAGED_NETWORK = (PACKAGED / "model.onnx").read_bytes()
SMALL = voting()


def changed(change, data=SMALL):
    proto = parsed(data)
    change(proto)
    return proto.SerializeToString()


def cut_by_half(proto):
    tensor = proto.graph.initializer[0]
    tensor.raw_data = tensor.raw_data[: len(tensor.raw_data) // 2]


def grown(proto):
    proto.graph.initializer[0].dims[0] = 1 << 30


def turned(proto):
    proto.graph.initializer[0].dims[0] = -40


def external(proto):
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


def elsewhere(proto):
    proto.graph.initializer[0].external_data.add(key="location", value="../more")


def words(proto):
    proto.graph.initializer[0].CopyFrom(
        TensorProto(
            name="logit_table", data_type=TensorProto.STRING, dims=[1], string_data=[b"word"]
        )
    )


def custom(proto):
    proto.graph.node[0].domain = "com.microsoft"


def nested(proto):
    proto.graph.node[0].attribute.append(
        helper.make_attribute("body", helper.make_graph([], "g", [], []))
    )


def sparse(proto):
    proto.graph.sparse_initializer.add().dims.extend([1 << 40])


def functions(proto):
    proto.functions.add().name = "f"


def training(proto):
    proto.training_info.add()


def crowded(proto):
    proto.graph.node.extend([proto.graph.node[0]] * MOST_NODES)


def empty(proto):
    del proto.graph.node[:]


def coloured(proto):
    """Reports draw the steps by the names of what they put out."""
    proto.graph.node[0].output[0] = proto.graph.node[1].input[0] = "\x1b[31mred"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (cut_by_half, "does not hold what its shape says"),
        (grown, "does not hold what its shape says"),
        (turned, "does not hold what its shape says"),
        (external, "other files"),
        (elsewhere, "other files"),
        (words, "of a kind that we do not use: 8"),
        (custom, "of another domain: 'com.microsoft'"),
        (nested, "a graph within a node"),
        (sparse, "sparse tensor"),
        (functions, "more graphs than one"),
        (training, "more graphs than one"),
        (crowded, "nodes, between 1 and"),
        (empty, "it has 0 nodes"),
        (coloured, "a name that does not print"),
    ],
)
def test_what_is_refused_and_why(change, why):
    assert why in fault(changed(change))


@pytest.mark.parametrize(
    "operator",
    ["ConstantOfShape", "Expand", "Tile", "Range", "Loop", "If", "Scan", "RandomNormal", "Resize", "NonZero", "OneHot",
     "StringNormalizer", "ScatterND", "Optional", "", "\x1b[2J"],
)  # fmt: skip
def test_operators_beyond_the_list_are_refused(operator):
    said = fault(network([node(operator, ["rows"], ["logits"])]))
    assert "no recipe of ours uses" in said and said.isprintable()


@pytest.mark.parametrize("data", [b"", b"no network", b"\x00", b"\x3a\x7f", b"{}", SMALL * 2])
def test_what_is_no_network_is_refused(data):
    assert fault(data)


def test_a_constant_is_looked_into():
    def constant(tensor):
        return network([node("Constant", [], ["logits"], value=tensor)])

    good = helper.make_tensor("c", TensorProto.FLOAT, [2], [1.0, 2.0])
    assert fault(constant(good)) == ""
    good.dims[0] = 1 << 30
    assert "does not hold" in fault(constant(good))


@pytest.mark.parametrize("cut", [1, 10, 1000, 100_000])
def test_a_network_cut_short_is_refused(cut):
    assert fault(PACKAGED_NETWORK[:-cut])


def test_more_parts_than_a_network_needs():
    assert "more parts" in fault(b"\x08\x01" * 300_000)


@pytest.mark.parametrize("data", [PACKAGED_NETWORK, SMALL])
def test_ours_pass(data):
    assert fault(data) == ""


@pytest.mark.parametrize(
    "values",
    [
        helper.make_tensor("t", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0]),
        helper.make_tensor("t", TensorProto.INT64, [3], [1, -2, 1 << 40]),
        helper.make_tensor("t", TensorProto.INT32, [], [-1]),
        helper.make_tensor("t", TensorProto.INT8, [2], [-1, 2]),
        helper.make_tensor("t", TensorProto.UINT8, [0], []),
        helper.make_tensor("t", TensorProto.DOUBLE, [1, 2], [1.0, 2.0]),
        helper.make_tensor("t", TensorProto.BOOL, [2], [True, False]),
        helper.make_tensor("t", TensorProto.FLOAT, [2], b"\0" * 8, raw=True),
    ],
    ids=lambda tensor: f"{tensor.data_type}-{list(tensor.dims)}",
)
def test_every_way_to_hold_values_is_counted(values):
    assert fault(changed(lambda proto: proto.graph.initializer.append(values))) == ""
    values.dims.append(2) if values.dims != [0] else values.dims.__setitem__(0, 1)
    assert "does not hold" in fault(changed(lambda proto: proto.graph.initializer.append(values)))


@given(st.binary(max_size=200) | st.integers(0, len(SMALL) - 1))
def test_any_octets_get_an_answer(data):
    if isinstance(data, int):
        broken = bytearray(SMALL)
        broken[data] ^= 0xFF
        data = bytes(broken)
    assert isinstance(fault(data), str)


@pytest.mark.parametrize("operator", ["Pad", "Slice"])
def test_shapes_that_a_label_changes_are_refused(operator):
    said = fault(shifting(operator))
    assert said == f"it has a node whose shape depends on more than constants: '{operator}'"


INPUTS = dict.fromkeys(sorted(SHAPED), 2) | {"Pad": 4, "Slice": 5}


@pytest.mark.parametrize(
    ("operator", "at"), [(each, at) for each, count in INPUTS.items() for at in range(1, count)]
)
def test_every_input_that_gives_a_shape_is_a_constant(operator, at):
    takes = ["rows", *["fixed"] * (INPUTS[operator] - 1)]
    values = {"fixed": np.ones(1, np.int64)}
    inner = node("Constant", [], ["within"], value_ints=[1])
    copied = node("Identity", ["fixed"], ["copy"])

    def said(other):
        changed = [*takes[:at], other, *takes[at + 1 :]]
        return fault(network([inner, copied, node(operator, changed, ["logits"])], values))

    assert said("fixed") == said("within") == said("") == ""
    assert all("more than constants" in said(other) for other in ("rows", "copy", "nowhere"))


def counts(schema):
    """Whether an input after its first holds nothing but whole numbers."""
    whole = {"tensor(int32)", "tensor(int64)"}
    return any(set(each.types) <= whole for each in list(schema.inputs)[1:])


def test_no_other_operator_of_the_list_is_told_a_shape():
    """In any version. Three are told whole numbers that give none: an axis to add along, places to read, a bias."""
    schemas = onnx.defs.get_all_schemas_with_history()
    found = {each.name for each in schemas if each.domain == "" and counts(each)}
    assert found & OPERATORS == SHAPED | {"CumSum", "Gather", "QLinearConv"}


def test_an_output_less_is_the_same_network_without_what_led_there_only():
    proto = parsed(without_output(SMALL, "families"))
    assert [each.name for each in proto.graph.output] == ["logits"]
    assert [list(node.output) for node in proto.graph.node] == [["votes"], ["logits"]]
    assert list(proto.graph.initializer) == list(parsed(SMALL).graph.initializer)
    assert parsed(without_output(SMALL, "nothing")) == parsed(SMALL)


def test_the_list_holds_real_operators_only():
    known = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    assert OPERATORS <= known
    assert not {"Loop", "If", "Scan", "Expand", "Tile", "Range", "ConstantOfShape"} & OPERATORS
    assert np.all([name.isalnum() for name in OPERATORS])


def test_nodes_and_weights_of_the_packaged_network_are_told():
    network = (PACKAGED / "model.onnx").read_bytes()
    operators = [operator for operator, _, _ in graph.nodes(network)]
    assert operators and set(operators) <= graph.OPERATORS
    taken = {name for _, inputs, _ in graph.nodes(network) for name in inputs}
    held = graph.weights(network)
    assert held.keys() <= taken and sum(held.values()) > 1000


def test_a_network_can_put_out_what_is_inside():
    network = (PACKAGED / "model.onnx").read_bytes()
    inside = graph.nodes(network)[0][2][0]
    session = trial.session(graph.with_outputs(network, [inside]))
    assert inside in [output.name for output in session.get_outputs()]
