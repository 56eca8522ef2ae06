"""The network drawn: its layers, what each puts out and holds, as the file says them; no package of ONNX is needed.

The graph is read from the file's wire format (onnx.proto, protobuf). Shapes are not in it: they come from a run in
which every tensor is an output. Protobuf merges a message that comes twice, so the outputs are a few octets at the end.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
import onnxruntime
from msgspec import Struct

from namewarden.detector.encoding import encode
from namewarden.evaluation.page import table

EXAMPLE = "example"
WIDTH = 16
INT64 = 7  # TensorProto.DataType: axes and shapes, no weights
Message = memoryview


class Layer(Struct, frozen=True):
    """One step of the network."""

    name: str  # of what it puts out
    kind: str
    takes: list[str]  # names of steps, or the input
    shape: list[int]  # for one label of at most 15 characters
    parameters: int


def layers_of(network: bytes) -> list[Layer]:
    """The nodes in the order of the file; a weight counts where it is used first."""
    graph = next(value for number, value in fields(memoryview(network)) if number == 7)
    nodes = [_node(value) for number, value in fields(graph) if number == 1]
    weights = dict(_tensor(value) for number, value in fields(graph) if number == 5)
    shapes = _shapes(network, [name for _, _, outputs in nodes for name in outputs])
    found = []
    for kind, inputs, outputs in nodes:
        size = sum(weights.pop(name, 0) for name in inputs)
        takes = [name for name in inputs if name in shapes or name == "rows"]
        found.append(Layer(outputs[0], kind, takes, shapes[outputs[0]], size))
    return found


def layers_of_keras(model: Any) -> list[Layer]:
    """The layers of a Keras model, asked of itself."""
    found = []
    for layer in model.layers:
        shape = [0 if each is None else int(each) for each in layer.output.shape]
        before = [node.operation.name for node in _parents(layer)]
        kind = type(layer).__name__
        found.append(Layer(layer.name, kind, before, shape, int(layer.count_params())))
    return found


def _parents(layer: Any) -> Sequence[Any]:
    nodes = layer._inbound_nodes
    return nodes[0].parent_nodes if nodes else ()


def fields(message: Message) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field of a protobuf message: an int, or the octets."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size, at = (8 if key & 7 == 1 else 4, at) if key & 7 in (1, 5) else _varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: Message, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet = message[at]
        value |= (octet & 127) << shift
        at, shift = at + 1, shift + 7
        if octet < 128:
            return value, at


def _node(message: Message) -> tuple[str, list[str], list[str]]:
    """NodeProto: input 1, output 2, op_type 4."""
    found: dict[int, list[str]] = {1: [], 2: [], 4: []}
    for number, value in fields(message):
        if number in found:
            found[number].append(bytes(value).decode())
    return found[4][0], found[1], found[2]


def _tensor(message: Message) -> tuple[str, int]:
    """TensorProto: dims 1, data_type 2, name 8 → name and how many weights it holds."""
    dims: list[int] = []
    kind, name = 0, ""
    for number, value in fields(message):
        if number == 1:
            dims += [value] if isinstance(value, int) else _packed(value)
        elif number == 2:
            kind = value
        elif number == 8:
            name = bytes(value).decode()
    return name, 0 if kind == INT64 else prod(dims)


def _packed(message: Message) -> list[int]:
    found, at = [], 0
    while at < len(message):
        value, at = _varint(message, at)
        found.append(value)
    return found


def _shapes(network: bytes, names: Sequence[str]) -> dict[str, list[int]]:
    """What each tensor is for one short label."""
    outputs = b"".join(_field(12, _field(1, name.encode())) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        network + _field(7, outputs), options, providers=["CPUExecutionProvider"]
    )
    given = {session.get_inputs()[0].name: encode([EXAMPLE], WIDTH)}
    said = session.run(list(names), given)
    return {name: list(np.shape(value)) for name, value in zip(names, said, strict=True)}


def _field(number: int, value: bytes) -> bytes:
    size, written = len(value), [number << 3 | 2]
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    return bytes([*written, size]) + value


def show(layers: Sequence[Layer], about: str = "") -> str:
    if not layers:
        return about
    rows = [
        [layer.name, layer.kind, " × ".join(map(str, layer.shape)), f"{layer.parameters:,}"]
        for layer in layers
    ]
    total = ["**all**", "", "", f"{sum(layer.parameters for layer in layers):,}"]
    return "\n".join(
        [
            "```",
            *draw(layers),
            "```",
            "",
            table(
                ["layer", "kind", f"output, one label of {WIDTH - 1}", "parameters"], [*rows, total]
            ),
        ]
    )


def draw(layers: Sequence[Layer]) -> list[str]:
    """One line a layer: ● puts out here, ┴ is taken and ends, ┼ is taken and goes on, │ passes by."""
    lanes: list[str] = ["input"]
    lines = [f"●  input [{EXAMPLE}, …]"]
    for place, layer in enumerate(layers):
        wanted = {name for later in layers[place + 1 :] for name in later.takes}
        takes = {name if name in lanes else "input" for name in layer.takes} or {"input"}
        goes_on = wanted | ({"input"} if _needs_input(layers[place + 1 :], lanes) else set())
        lines.append(_line(lanes, takes, goes_on, layer))
    return lines


def _needs_input(later: Sequence[Layer], lanes: Sequence[str]) -> bool:
    known = {layer.name for layer in later} | set(lanes)
    return any(name not in known or name == "input" for layer in later for name in layer.takes)


def _line(lanes: list[str], takes: set[str], goes_on: set[str], layer: Layer) -> str:
    """Moves the lanes on, and says how they went."""
    signs = []
    for name in lanes:
        signs.append(
            " " if not name else "│" if name not in takes else "┼" if name in goes_on else "┴"
        )
    ended = [at for at, name in enumerate(lanes) if name in takes and name not in goes_on]
    free = [at for at, name in enumerate(lanes) if not name]
    for at in ended:
        lanes[at] = ""
    here = (ended or free or [len(lanes)])[0]
    if here == len(lanes):
        lanes.append("")
        signs.append(" ")
    signs[here] = "●"
    lanes[here] = layer.name
    held = f"  {layer.parameters:,} parameters" if layer.parameters else ""
    shape = "×".join(map(str, layer.shape))
    return f"{' '.join(signs)}  {layer.kind} {layer.name} [{shape}]{held}"
