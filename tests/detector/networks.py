"""Models made by hand whose answers a test can tell beforehand, and hostile ones."""

from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from namewarden.detector.bands import Thresholds
from namewarden.detector.encoding import ALPHABET, SYMBOLS, VERSION
from namewarden.detector.folder import Manifest

CLASSES = ("unknown", "alpha", "beta")
node = helper.make_node


def tables():
    """Every a, b and c is suspicious by one, all else makes it less so; a speaks for alpha, b for beta, c for none."""
    logits = np.full((SYMBOLS, 1), -1, np.float32)
    families = np.zeros((SYMBOLS, len(CLASSES)), np.float32)
    logits[0] = 0
    for letter, kind in zip("cab", range(3), strict=True):
        logits[ALPHABET.index(letter) + 1] = 1
        families[ALPHABET.index(letter) + 1, kind] = 1
    return logits, families


def voting(with_families=True):
    """The network of `tables`: each letter votes, the votes are added up."""
    logits, families = tables()
    nodes = [
        node("Gather", ["logit_table", "rows"], ["votes"]),
        node("ReduceSum", ["votes", "axis"], ["logits"], keepdims=0),
    ]
    outputs = {"logits": ["names", 1]}
    values = {"logit_table": logits, "axis": np.array([1], np.int64)}
    if with_families:
        nodes += [
            node("Gather", ["family_table", "rows"], ["voices"]),
            node("ReduceSum", ["voices", "axis"], ["families"], keepdims=0),
        ]
        outputs["families"] = ["names", len(CLASSES)]
        values["family_table"] = families
    return network(nodes, values, outputs)


def shifting(operator):
    """Adds up the codes of a row, and takes another shape when a label has 25 z or more: `Pad` makes it wide,
    `Slice` leaves names out. The labels of `trial.LABELS` show nothing of it."""
    floats = node("Cast", ["rows"], ["x"], to=TensorProto.FLOAT)
    counted = [
        node("Gather", ["is_z", "rows"], ["z"]),
        node("ReduceSum", ["z", "axis"], ["zs"], keepdims=0),
        node("ReduceMax", ["zs"], ["most"], axes=[0], keepdims=1),
        node("Sub", ["most", "few"], ["over"]),
        node("Max", ["over", "none"], ["many"]),
    ]
    changed = {
        "Pad": [
            node("Mul", ["many", "million"], ["right"]),
            node("Concat", ["none", "none", "none", "right"], ["pads"], axis=0),
            node("Pad", ["x", "pads"], ["wide"]),
            node("ReduceSum", ["wide", "axis"], ["logits"], keepdims=1),
        ],
        "Slice": [
            node("ReduceSum", ["x", "axis"], ["sums"], keepdims=1),
            node("Slice", ["sums", "many", "million", "none"], ["logits"]),
        ],
    }[operator]
    numbers = {"axis": 1, "few": 24, "none": 0, "million": 1_000_000}
    values = {name: np.array([number], np.int64) for name, number in numbers.items()}
    values["is_z"] = (np.arange(SYMBOLS) == ALPHABET.index("z") + 1).astype(np.int64)
    return network([floats, *counted, *changed], values)


def growing_by_names(from_name):
    """Every octet counts one; from so many names on each of these is told twice, which no smaller batch shows."""
    nodes = [
        node("Gather", ["table", "rows"], ["votes"]),
        node("ReduceSum", ["votes", "axis"], ["sums"], keepdims=0),
        node("Slice", ["sums", "from", "to", "names"], ["again"]),
        node("Concat", ["sums", "again"], ["logits"], axis=0),
        node("Identity", ["logits"], ["families"]),
    ]
    numbers = {"axis": 1, "from": from_name - 1, "to": 1000, "names": 0}
    values = {name: np.array([number], np.int64) for name, number in numbers.items()}
    values["table"] = np.ones((SYMBOLS, 1), np.float32)
    return network(nodes, values, {"logits": ["names", 1], "families": ["names", 1]})


def network(nodes, values=None, outputs=None, inputs=None, opsets=(("", 17),), **more):
    """ONNX bytes; nothing is checked."""
    graph = helper.make_graph(
        nodes,
        "by_hand",
        inputs or [helper.make_tensor_value_info("rows", TensorProto.INT32, ["names", "width"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in (outputs or {"logits": ["names", 1]}).items()
        ],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (values or {}).items()],
        **more,
    )
    opset_ids = [helper.make_opsetid(*each) for each in opsets]
    return helper.make_model(graph, opset_imports=opset_ids, ir_version=8).SerializeToString()


def parsed(data) -> "onnx.ModelProto":
    return onnx.load_from_string(data)


def write(folder: Path, data: bytes, **changes):
    """A folder with this network and a manifest that fits it, but for the changes."""
    manifest = Manifest(
        schema=1,
        digest=sha256(data).hexdigest(),
        encoding=VERSION,
        made="2026-01-01",
        temperature=1.0,
        thresholds=Thresholds(1.0, 2.0, 4.0),
        calibration=((-5.0, 1000), (0.0, 100), (2.0, 2)),
        calibration_names=1000,
        families=(),
        unseen_families=(),
        seen="none",
    )
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(data)
    (folder / "manifest.json").write_bytes(
        msgspec.json.encode(msgspec.structs.replace(manifest, **changes))
    )
    return folder
