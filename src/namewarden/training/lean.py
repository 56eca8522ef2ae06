"""The product's own network (`recipes/own.py`) as the ONNX graph the resolver runs.

Same weights, same numbers (`export.py` compares them with Keras). All n-grams' places are one convolution over the
codes, a remainder and a sum; all tables are one. Dense layers are convolutions of width 1: those are computed row by
row, so that a label's logit does not depend, to the last bit, on what else is in the batch. Tables are octets, all
other weights float16, which ONNX Runtime widens once, at load.
"""

from typing import Any

import numpy as np
import onnx
from msgspec import Struct
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from namewarden.detector.encoding import PADDING
from namewarden.training.grams import LONGEST, Gram
from namewarden.training.retrieval import PARTS

OPSET = 17
SURPRISES = ("surprises_begin", "surprises_end", "axis_1")  # channels between letters and counts
Array = NDArray[Any]


class Dense(Struct, frozen=True):
    """kernel [in, out] or [width, in, out], bias [out]."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None


class Parts(Struct, frozen=True):
    """What the graph is made of."""

    letters: NDArray[np.float32]  # [symbols, embedding]
    counted: tuple[Gram, ...]  # tables of counts
    made: tuple[Gram, ...]  # tables of codes
    octets: NDArray[np.uint8]  # of all tables, one after the other
    steps: NDArray[np.float32]  # [values]: what a value of the tables of counts means
    book: NDArray[np.float32]  # [values, groups]: and of those of codes
    first: Dense
    second: Dense
    hidden: Dense
    logit: Dense
    kin: Dense
    lengths: NDArray[np.float32]  # [longest, kin]
    families: Dense


def lean(parts: Parts) -> bytes:
    """The graph: rows of codes [names, width] → `logits` [names, 1] and `families` [names, classes]."""
    exact, halved = _tables(parts), _weights(parts)
    values = [numpy_helper.from_array(np.ascontiguousarray(v), name) for name, v in exact.items()]
    values += [
        numpy_helper.from_array(np.ascontiguousarray(v, np.float16), f"{name}_half")
        for name, v in halved.items()
    ]
    widened = [
        helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT) for name in halved
    ]
    nodes = widened + _remembered() + _read() + _judged()
    graph = helper.make_graph(
        nodes,
        "namewarden",
        [helper.make_tensor_value_info("rows", TensorProto.INT32, ["names", "width"])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["names", 1]),
            helper.make_tensor_value_info(
                "families", TensorProto.FLOAT, ["names", parts.families.kernel.shape[1]]
            ),
        ],
        values,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)  # type: ignore[no-any-return]


def _tables(parts: Parts) -> dict[str, Array]:
    """What is stored to the last bit: tables, and the whole numbers that lead into them, by part, then by table."""
    grams = (*parts.counted, *parts.made)
    factors = np.zeros((PARTS, len(grams), LONGEST), np.float32)
    for at, gram in enumerate(grams):
        factors[:, at, LONGEST - gram.letters :] = gram.factors()[:, ::-1]
    spelled, groups = parts.letters.shape[1], parts.book.shape[1]
    begins = np.cumsum([0, *(gram.size for gram in grams[:-1])])
    starts = np.array([gram.starts() for gram in grams]) + begins[:, None]
    return {
        "factors": factors.reshape(-1, 1, LONGEST),
        "sizes": np.array([gram.parts for gram in grams], np.int32).T.reshape(-1, 1),
        "starts": starts.astype(np.int32).T.reshape(-1, 1),
        "octets": parts.octets.astype(np.uint8),
        "by_part": np.array([0, PARTS, len(grams), -1]),
        "counted_and_made": np.array([len(parts.counted), len(parts.made)]),
        "surprises_begin": np.array([spelled]),
        "surprises_end": np.array([spelled + groups]),
        "axis_1": np.ones(1, np.int64),
        "axis_2": np.full(1, 2, np.int64),
        "nothing": np.zeros((), np.float32),
        "one": np.ones((), np.float32),
    }


def _weights(parts: Parts) -> dict[str, Array]:
    """The rest."""
    letters = parts.letters.copy()
    letters[PADDING] = 0
    # Sums of parts are not taken modulo: what a value means is said once for each part.
    found: dict[str, Array] = {
        "steps": np.tile(parts.steps, PARTS),
        "book": np.tile(parts.book, (PARTS, 1)),
    }
    found |= {"letters": letters, "lengths": parts.lengths}
    found |= {"first": _turned(parts.first.kernel), "second": _turned(parts.second.kernel)}
    for name in ("hidden", "logit", "kin", "families"):
        layer = getattr(parts, name)
        found |= {f"{name}_kernel": _turned(layer.kernel), f"{name}_bias": layer.bias}
    return found


def _turned(kernel: NDArray[np.float32]) -> Array:
    """[in, out] or [width, in, out] → [out, in, width]."""
    return kernel.T[:, :, None] if kernel.ndim == 2 else kernel.transpose(2, 1, 0)


def _remembered() -> list[Any]:
    """Codes → what the tables say of the n-gram that ends at each place."""
    node = helper.make_node
    return [
        node("Cast", ["rows"], ["codes"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["codes", "axis_1"], ["column"]),
        node("Conv", ["column", "factors"], ["sums"], pads=[LONGEST - 1, 0]),
        node("Cast", ["sums"], ["whole"], to=TensorProto.INT32),
        node("Mod", ["whole", "sizes"], ["within"]),
        node("Add", ["within", "starts"], ["places"]),
        node("Gather", ["octets", "places"], ["parts"]),
        node("Cast", ["parts"], ["parts_whole"], to=TensorProto.INT32),
        node("Reshape", ["parts_whole", "by_part"], ["parts_apart"]),
        node("ReduceSum", ["parts_apart", "axis_1"], ["parts_sum"], keepdims=0),
        node("Split", ["parts_sum", "counted_and_made"], ["met_steps", "codes_made"], axis=1),
        node("Gather", ["steps", "met_steps"], ["met"]),
        node("Gather", ["book", "codes_made"], ["made_each"]),
        node("ReduceMin", ["made_each"], ["made"], axes=[1], keepdims=0),
    ]


def _read() -> list[Any]:
    """Letters and memory → maximum and mean of what is read and of both convolutions."""
    node = helper.make_node
    return [
        node("Gather", ["letters", "rows"], ["spelled"]),
        node("Concat", ["spelled", "made"], ["beside"], axis=2),
        node("Transpose", ["beside"], ["columns"], perm=[0, 2, 1]),
        node("Concat", ["columns", "met"], ["everywhere"], axis=1),
        node("Clip", ["column", "nothing", "one"], ["mask"]),
        node("Mul", ["everywhere", "mask"], ["read"]),
        node("Conv", ["read", "first"], ["heard"], pads=[1, 1]),
        node("Relu", ["heard"], ["found"]),
        node("Conv", ["found", "second"], ["heard_2"], pads=[1, 1]),
        node("Relu", ["heard_2"], ["found_2"]),
        node("Concat", ["read", "found", "found_2"], ["every"], axis=1),
        node("ReduceMax", ["every"], ["most"], axes=[2]),
        node("ReduceSum", ["every", "axis_2"], ["sum"]),
        node("ReduceSum", ["mask", "axis_2"], ["length"]),
        node("Max", ["length", "one"], ["length_1"]),
        node("Div", ["sum", "length_1"], ["mean"]),
        node("Slice", ["most", *SURPRISES], ["most_surprise"]),
        node("ReduceMin", ["most_surprise"], ["least_most"], axes=[1]),
        node("Slice", ["mean", *SURPRISES], ["mean_surprise"]),
        node("ReduceMin", ["mean_surprise"], ["least_mean"], axes=[1]),
        node("Concat", ["most", "mean", "least_most", "least_mean"], ["pooled"], axis=1),
    ]


def _judged() -> list[Any]:
    """Both heads; only the family's sees the length."""
    node = helper.make_node
    return [
        node("Conv", ["pooled", "hidden_kernel", "hidden_bias"], ["hidden_raw"]),
        node("Relu", ["hidden_raw"], ["hidden_out"]),
        node("Conv", ["hidden_out", "logit_kernel", "logit_bias"], ["logit_out"]),
        node("Flatten", ["logit_out"], ["logits"]),
        node("Squeeze", ["length", "axis_2"], ["length_flat"]),
        node("Cast", ["length_flat"], ["length_whole"], to=TensorProto.INT32),
        node("Gather", ["lengths", "length_whole"], ["length_rows"]),
        node("Transpose", ["length_rows"], ["length_out"], perm=[0, 2, 1]),
        node("Conv", ["pooled", "kin_kernel", "kin_bias"], ["kin_raw"]),
        node("Add", ["kin_raw", "length_out"], ["kin_sum"]),
        node("Relu", ["kin_sum"], ["kin_out"]),
        node("Conv", ["kin_out", "families_kernel", "families_bias"], ["families_out"]),
        node("Flatten", ["families_out"], ["families"]),
    ]
