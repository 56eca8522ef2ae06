"""The character CNN as the ONNX graph the resolver runs: 17 nodes where a general exporter writes 60.

Same weights, same numbers (`export.py` compares them with Keras). The widths become one convolution, padding is a
letter of zeros, and the dense layers are convolutions of width 1: those are computed row by row, so that a label's
logit does not depend, to the last bit, on what else is in the batch.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from namewarden.detector.encoding import PADDING, SYMBOLS

OPSET = 17
Weights = list[NDArray[np.float32]]


def lean(weights: Weights) -> bytes:
    """Weights in Keras's order: embedding, (kernel, bias) of each width, (kernel, bias) of both dense layers."""
    letters, *convolutions, hidden, hidden_bias, last, last_bias = weights
    kernels, biases = convolutions[0::2], convolutions[1::2]
    widest = max(kernel.shape[0] for kernel in kernels)
    letters = letters.copy()
    letters[PADDING] = 0
    valid = np.ones(SYMBOLS, np.float32)
    valid[PADDING] = 0
    values = {
        "letters": letters,
        "valid": valid,
        "widths": np.concatenate([_widened(kernel, widest) for kernel in kernels]),
        "widths_bias": np.concatenate(biases),
        "hidden": _pooled_apart(hidden, [len(bias) for bias in biases]).T[:, :, None],
        "hidden_bias": hidden_bias,
        "last": last.T[:, :, None],
        "last_bias": last_bias,
        "one": np.ones(1, np.float32),
    }
    nodes = _nodes((widest - 1) // 2, widest // 2)
    return _model(nodes, values).SerializeToString(deterministic=True)  # type: ignore[no-any-return]


def _widened(kernel: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """[width, in, out] → [out, in, widest], zeros where this width does not look; "same" padding stays right."""
    size = kernel.shape[0]
    before = (width - 1) // 2 - (size - 1) // 2
    after = width - size - before
    return np.pad(kernel, ((before, after), (0, 0), (0, 0))).transpose(2, 1, 0)


def _pooled_apart(hidden: NDArray[np.float32], sizes: list[int]) -> NDArray[np.float32]:
    """Rows for (max, mean) of each width in turn → rows for all maxima, then all means."""
    edges = np.cumsum([0, *np.repeat(sizes, 2)])
    parts = [hidden[edges[at] : edges[at + 1]] for at in range(len(edges) - 1)]
    return np.concatenate(parts[0::2] + parts[1::2])


def _nodes(before: int, after: int) -> list[Any]:
    node = helper.make_node
    return [
        node("Gather", ["letters", "rows"], ["spelled"]),
        node("Transpose", ["spelled"], ["columns"], perm=[0, 2, 1]),
        node("Conv", ["columns", "widths", "widths_bias"], ["heard"], pads=[before, after]),
        node("Relu", ["heard"], ["found"]),
        node("Gather", ["valid", "rows"], ["mask_flat"]),
        node("Unsqueeze", ["mask_flat", "axis_1"], ["mask"]),
        node("Mul", ["found", "mask"], ["kept"]),
        node("ReduceMax", ["kept"], ["most"], axes=[2]),
        node("ReduceSum", ["kept", "axis_2"], ["sum"]),
        node("ReduceSum", ["mask", "axis_2"], ["length"]),
        node("Max", ["length", "one"], ["length_1"]),
        node("Div", ["sum", "length_1"], ["mean"]),
        node("Concat", ["most", "mean"], ["pooled"], axis=1),
        node("Conv", ["pooled", "hidden", "hidden_bias"], ["hidden_raw"]),
        node("Relu", ["hidden_raw"], ["hidden_out"]),
        node("Conv", ["hidden_out", "last", "last_bias"], ["logit"]),
        node("Flatten", ["logit"], ["logits"]),
    ]


def _model(nodes: list[Any], values: dict[str, NDArray[np.float32]]) -> Any:
    axes = {f"axis_{n}": np.array([n], np.int64) for n in (1, 2)}
    graph = helper.make_graph(
        nodes,
        "namewarden",
        [helper.make_tensor_value_info("rows", TensorProto.INT32, ["names", "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["names", 1])],
        [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in {**values, **axes}.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model
