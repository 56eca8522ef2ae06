"""What an ONNX file asks for, read without running it: a bounded look at its wire format (onnx.proto, protobuf).

`fault` says why a network is not run: operators beyond a closed list, nested graphs, data in other files, tensors
that promise more than they hold, shapes that depend on a label. What passes is run under a memory limit first
(`trial.py`).
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What recipes and int8 quantisation write. None but Pad makes a large tensor out of a number among its inputs, as
# ConstantOfShape, Expand, Tile and Range do, and there it is a constant (SHAPED); no shape depends on the values of
# data, as with NonZero and Unique; none runs another graph, as Loop, If and Scan do.
OPERATORS = frozenset(
    """
    Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvInteger CumSum
    DequantizeLinear Div DynamicQuantizeLinear Elu Equal Erf Exp Flatten Floor Gather Gelu Gemm GlobalAveragePool
    GlobalMaxPool Greater GreaterOrEqual HardSigmoid HardSwish Identity LayerNormalization LeakyRelu Less
    LessOrEqual Log LogSoftmax MatMul MatMulInteger Max MaxPool Min Mod Mul Neg Not Or PRelu Pad Pow QLinearConv
    QLinearMatMul QuantizeLinear ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Round Selu Shape Sigmoid
    Slice Softmax Softplus Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where
    """.split()
)
# Every input but the first says what shape the output has: sizes, bounds, axes; Pad's third fills it. All others of
# the list make their shape of the shapes that they are given and of attributes.
SHAPED = frozenset(
    "Pad ReduceMax ReduceMean ReduceMin ReduceSum Reshape Slice Split Squeeze Unsqueeze".split()
)
MOST_NODES = 512
MOST_PARTS = 200_000  # fields read in all; our graphs have some hundreds
# TensorProto.DataType → octets of a value
OCTETS = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}
PLAIN = {1: "<f4", 2: "u1", 6: "<i4", 7: "<i8", 10: "<f2"}  # … → how its octets are read
INT64 = 7  # of axes and shapes
Field = tuple[int, int | memoryview]


class GraphError(Exception):
    """Why the file is not run."""


def fault(network: bytes) -> str:
    """What is wrong with it, in words; "" when nothing is."""
    try:
        _Reader().model(memoryview(network))
        _shapes(network)
    except GraphError as error:
        return str(error)
    return ""


def without_output(network: bytes, name: str) -> bytes:
    """The same network with one output less: what only that output needs is then never computed."""
    reader = _Reader()
    kept = [
        _written(number, reader.less_output(value, name) if number == 7 else value)
        for number, value in reader.fields(memoryview(network))
    ]
    return b"".join(kept)


def with_outputs(network: bytes, names: Iterable[str]) -> bytes:
    """The same network, putting out these tensors too: protobuf merges a message that comes twice, so they go last."""
    outputs = [_written(12, memoryview(_written(1, memoryview(name.encode())))) for name in names]
    return network + _written(7, memoryview(b"".join(outputs)))


def nodes(network: bytes) -> list[tuple[str, list[str], list[str]]]:
    """(operator, what it takes, what it puts out) of each node, in order."""
    reader = _Reader()
    return [reader.wiring(value) for number, value in reader.graph(network) if number == 1]


def inputs(network: bytes) -> set[str]:
    """What the graph is given, and the nothing that stands for an input left out."""
    reader = _Reader()
    return {""} | {reader.text(value, 1) for number, value in reader.graph(network) if number == 11}


def constants(network: bytes) -> dict[str, int]:
    """How many numbers each tensor of the file holds, those within nodes included; "" is an input left out."""
    reader = _Reader()
    found = {"": 0}
    for number, value in reader.graph(network):
        if number == 5:
            name, _, size = reader.extent(value)
            found[name] = max(size, found.get(name, 0))
        elif number == 1:
            operator, _, gives = reader.wiring(value)
            if operator == "Constant":
                found.update(dict.fromkeys(gives, reader.constant(value)))
    return found


def weights(network: bytes) -> dict[str, int]:
    """How many numbers each tensor of the file holds, those of axes and shapes left out."""
    reader = _Reader()
    found = [reader.extent(value) for number, value in reader.graph(network) if number == 5]
    return {name: size for name, kind, size in found if kind != INT64}


def plan(network: bytes) -> str:
    """A digest of what it computes, whatever the numbers in its tensors are: operators, nodes, inputs, names."""
    reader, told = _Reader(), sha256()
    for number, value in reader.fields(memoryview(network)):
        if number == 8:
            told.update(_written(number, value))
    for number, value in reader.graph(network):
        if number in (1, 11):
            told.update(_written(number, value))
        elif number in (5, 12):
            name = reader.text(value, 8 if number == 5 else 1).encode(errors="surrogateescape")
            told.update(_written(number, memoryview(name)))
    return told.hexdigest()


def tensors(network: bytes) -> dict[str, NDArray[Any]]:
    """The tensors that the file holds as plain octets, of the kinds that NumPy has."""
    reader = _Reader()
    found = (reader.tensor(value) for number, value in reader.graph(network) if number == 5)
    return {name: array for name, array in found if array is not None}


def _shapes(network: bytes) -> None:
    """All follow from the shape of the rows and from constants: what one label takes, every other of its width does."""
    fixed = constants(network).keys()
    for operator, takes, _ in nodes(network):
        if operator in SHAPED and set(takes[1:]) - fixed:
            raise GraphError(
                f"it has a node whose shape depends on more than constants: {operator!a}"
            )


class _Reader:
    """One pass over one file. Every method raises GraphError."""

    def __init__(self) -> None:
        self._parts = 0

    def fields(self, message: int | memoryview) -> Iterator[Field]:
        """(field number, varint or octets) of a message, in order."""
        if isinstance(message, int):
            raise GraphError("it is not ONNX, or cut short")
        at = 0
        while at < len(message):
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise GraphError("it has more parts than a network needs")
            key, at = _varint(message, at)
            value, at = _value(message, at, key & 7)
            yield key >> 3, value

    def graph(self, network: bytes) -> Iterator[Field]:
        """The fields of the graph of a network that was looked at before."""
        for number, value in self.fields(memoryview(network)):
            if number == 7:
                yield from self.fields(value)

    def wiring(self, node: int | memoryview) -> tuple[str, list[str], list[str]]:
        found: dict[int, list[str]] = {1: [], 2: [], 4: []}
        for number, value in self.fields(node):
            if number in found and not isinstance(value, int):
                found[number].append(_word(value))
        return found[4][-1], found[1], found[2]  # of a field that comes twice the last counts

    def constant(self, node: int | memoryview) -> int:
        """How many numbers a node of operator Constant holds, or at most holds."""
        held = 0
        for number, attribute in self.fields(node):
            if number == 5:
                for kind, value in self.fields(attribute):
                    held += self.extent(value)[2] if kind == 5 else 1
                    held += len(value) if kind in (7, 8) and not isinstance(value, int) else 0
        return held

    def extent(self, tensor: int | memoryview) -> tuple[str, int, int]:
        """Name, kind and number of values."""
        dims: list[int] = []
        kind = 0
        for number, value in self.fields(tensor):
            if number == 1:
                dims += [value] if isinstance(value, int) else _varints(value)
            elif number == 2 and isinstance(value, int):
                kind = value
        return self.text(tensor, 8), kind, prod(dims)

    def tensor(self, message: int | memoryview) -> tuple[str, NDArray[Any] | None]:
        """Name and values of a tensor that was looked at before."""
        dims: list[int] = []
        kind, octets = 0, b""
        for number, value in self.fields(message):
            if number == 1:
                dims += [value] if isinstance(value, int) else _varints(value)
            elif isinstance(value, int):
                kind = value if number == 2 else kind
            elif number == 9:
                octets = bytes(value)
        name = self.text(message, 8)
        if kind not in PLAIN or len(octets) != prod(dims) * OCTETS[kind]:
            return name, None
        return name, np.frombuffer(octets, PLAIN[kind]).reshape(dims)

    def model(self, message: memoryview) -> None:
        graphs = []
        for number, value in self.fields(message):
            if number == 7:
                graphs.append(value)
            elif number in (20, 25):  # training_info, functions
                raise GraphError("it holds more graphs than one")
        if len(graphs) != 1:
            raise GraphError(
                "it is not ONNX, or cut short" if not graphs else "it holds two graphs"
            )
        self._graph(graphs[0])

    def less_output(self, graph: int | memoryview, name: str) -> memoryview:
        """The graph without that output, and without the nodes that nothing needs then."""
        fields = [
            (number, value)
            for number, value in self.fields(graph)
            if number != 12 or self.text(value, 1) != name
        ]
        wanted = {self.text(value, 1) for number, value in fields if number == 12}
        kept = []
        for number, value in reversed(fields):  # a node stands behind all that it reads
            if number == 1:
                _, reads, writes = self.wiring(value)
                if wanted.isdisjoint(writes):
                    continue
                wanted.update(reads)
            kept.append(_written(number, value))
        return memoryview(b"".join(reversed(kept)))

    def _graph(self, message: int | memoryview) -> None:
        nodes = 0
        for number, value in self.fields(message):
            if number == 1:
                nodes += 1
                self._node(value)
            elif number == 5:
                self._tensor(value)
            elif number == 15:
                raise GraphError("it has a sparse tensor")
        if not 0 < nodes <= MOST_NODES:
            raise GraphError(f"it has {nodes} nodes, between 1 and {MOST_NODES} are right")

    def _node(self, message: int | memoryview) -> None:
        operator = domain = ""
        for number, value in self.fields(message):
            if number == 4:
                operator = _word(value)
            elif number == 7:
                domain = _word(value)
            elif number == 5:
                self._attribute(value)
            elif number in (1, 2) and not _word(value).isprintable():
                raise GraphError("it has a name that does not print")
        if domain not in ("", "ai.onnx"):
            raise GraphError(f"it wants an operator of another domain: {domain[:80]!a}")
        if operator not in OPERATORS:
            raise GraphError(f"it wants an operator that no recipe of ours uses: {operator[:80]!a}")

    def _attribute(self, message: int | memoryview) -> None:
        tensors = 0
        for number, value in self.fields(message):
            if number in (6, 11):  # g, graphs
                raise GraphError("it has a graph within a node")
            if number in (22, 23):
                raise GraphError("it has a sparse tensor")
            if number in (5, 10):  # t, tensors
                tensors += 1
                self._tensor(value)
        if tensors > 1:
            raise GraphError("it has a node with two tensors in one place")

    def _tensor(self, message: int | memoryview) -> None:
        """Its dimensions must be filled by the values it holds itself."""
        dims: list[int] = []
        kind = held = 0
        for number, value in self.fields(message):
            if number == 1:
                dims += [value] if isinstance(value, int) else _varints(value)
            elif number == 2:
                kind = value if isinstance(value, int) else 0
            elif number in (3, 13, 14) and value != 0:
                # segment; external_data and its data_location (CVE-2022-25882, CVE-2024-27318)
                raise GraphError("it wants to read other files")
            elif number in (4, 5, 7, 9, 10, 11):
                held += _values(number, value, OCTETS.get(kind, 0))
        if kind not in OCTETS:
            raise GraphError(f"it has a tensor of a kind that we do not use: {kind}")
        if len(dims) > 8 or any(dim >= 1 << 31 for dim in dims) or prod(dims) != held:
            raise GraphError("it has a tensor that does not hold what its shape says")

    def text(self, message: int | memoryview, number: int) -> str:
        """Of a field that comes twice the last counts, and none of another kind: so protobuf reads it."""
        found = ""
        for at, value in self.fields(message):
            if at == number and not isinstance(value, int):
                found = _word(value)
        return found


def _value(message: memoryview, at: int, kind: int) -> tuple[int | memoryview, int]:
    """The value that begins at `at`, and where the next field does. Groups (3, 4) are not used by ONNX."""
    if kind == 0:
        return _varint(message, at)
    size = {1: 8, 5: 4}.get(kind, -1)
    if kind == 2:
        size, at = _varint(message, at)
    if size < 0 or at + size > len(message):
        raise GraphError("it is not ONNX, or cut short")
    return message[at : at + size], at + size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        octet = message[at]
        at += 1
        value |= (octet & 127) << shift
        if octet < 128:
            return value, at
    raise GraphError("it is not ONNX, or cut short")


def _varints(packed: memoryview) -> list[int]:
    found: list[int] = []
    at = 0
    while at < len(packed) and len(found) < 16:
        value, at = _varint(packed, at)
        found.append(value)
    return found


def _values(number: int, value: int | memoryview, octets: int) -> int:
    """How many values one field of a tensor holds; raw data are those that need `octets` each."""
    if isinstance(value, int):
        return 1
    if number == 9:
        return len(value) // octets if octets and len(value) % octets == 0 else -1
    if number in (4, 10):  # fixed 4 and 8 octets
        return len(value) // (4 if number == 4 else 8)
    return int(
        np.count_nonzero(np.frombuffer(value, np.uint8) < 128)
    )  # each varint has one last octet


def _word(value: int | memoryview) -> str:
    """No two texts become one: what is no UTF-8 stays apart."""
    return "" if isinstance(value, int) else bytes(value).decode("utf-8", "surrogateescape")


def _written(number: int, value: int | memoryview) -> bytes:
    if isinstance(value, int):
        return bytes(chain(_written_varint(number << 3), _written_varint(value)))
    return bytes(chain(_written_varint(number << 3 | 2), _written_varint(len(value)))) + bytes(
        value
    )


def _written_varint(value: int) -> Iterator[int]:
    while value > 127:
        yield value & 127 | 128
        value >>= 7
    yield value
