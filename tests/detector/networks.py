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
