"""The network drawn: its layers, what each puts out and holds, as the file says them; no package of ONNX is needed.

Shapes are not in the file: they come from a run in which every tensor is an output.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from namewarden.detector import graph, trial
from namewarden.detector.encoding import encode
from namewarden.evaluation.page import table

EXAMPLE = "example"
WIDTH = 16


class Layer(Struct, frozen=True):
    """One step of the network."""

    name: str  # of what it puts out
    kind: str
    takes: list[str]  # names of steps, or the input
    shape: list[int]  # of a file for one short label; 0 where Keras takes any number
    parameters: int


def layers_of(network: bytes) -> list[Layer]:
    """The nodes in the order of the file; a weight counts where it is used first."""
    nodes, weights = graph.nodes(network), graph.weights(network)
    shapes = _shapes(network, [name for _, _, outputs in nodes for name in outputs if name])
    found = []
    for kind, inputs, outputs in nodes:
        size = sum(weights.pop(name, 0) for name in inputs)
        takes = [name for name in inputs if name in shapes or name == trial.ROWS]
        found.append(Layer(outputs[0], kind, takes, shapes[outputs[0]], size))
    return found


def layers_of_keras(model: Any) -> list[Layer]:
    """The layers of a Keras model, asked of itself."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    names = {layer.name for layer in layers}
    return [
        Layer(
            layer.name,
            type(layer).__name__,
            sorted(set(_before(layer, names))),
            [each or 0 for each in layer.output.shape],
            int(layer.count_params()),
        )
        for layer in layers
    ]


def _before(operation: Any, names: set[str]) -> Iterator[str]:
    """The layers whose output it takes, through operations that are no layers (casts, products)."""
    for node in operation._inbound_nodes[:1]:
        for parent in (each.operation for each in node.parent_nodes):
            if parent.name in names:
                yield parent.name
            elif parent._inbound_nodes[0].parent_nodes:
                yield from _before(parent, names)
            else:
                yield "input"


def _shapes(network: bytes, names: Sequence[str]) -> dict[str, list[int]]:
    """What each tensor is for one short label."""
    session = trial.session(graph.with_outputs(network, names))
    outputs = session.run(list(names), {trial.ROWS: encode([EXAMPLE], WIDTH)})
    return {name: list(np.shape(value)) for name, value in zip(names, outputs, strict=True)}


def show(layers: Sequence[Layer], about: str = "") -> str:
    if not layers:
        return about
    rows = [
        [layer.name, layer.kind, _shape(layer, " × "), f"{layer.parameters:,}"] for layer in layers
    ]
    total = ["**all**", "", "", f"{sum(layer.parameters for layer in layers):,}"]
    return "\n".join(
        [
            "```",
            *draw(layers),
            "```",
            "",
            table(["layer", "kind", "output", "parameters"], [*rows, total]),
        ]
    )


def draw(layers: Sequence[Layer]) -> list[str]:
    """One line a layer: ● puts out here, ┴ is taken and ends, ┼ is taken and goes on, │ passes by."""
    lanes: list[str] = ["input"]
    lines = [f"●  input [{EXAMPLE}, …]"]
    steps = {layer.name for layer in layers}
    takes = [{name if name in steps else "input" for name in layer.takes} for layer in layers]
    for place, layer in enumerate(layers):
        lines.append(_line(lanes, takes[place], set().union(*takes[place + 1 :]), layer))
    return lines


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
    return f"{' '.join(signs)}  {layer.kind} {layer.name} [{_shape(layer, '×')}]{held}"


def _shape(layer: Layer, between: str) -> str:
    return between.join(str(each) if each else "any" for each in layer.shape)
