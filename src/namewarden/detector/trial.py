"""A network's first run: on labels that we know, under a memory limit, before anything depends on it.

What `graph.py` lets pass can still multiply its tensors (`Concat` with itself, again and again). Here it runs
unoptimised, node by node as written, so that no step of loading or running it later needs what was not tried.
"""

from functools import lru_cache
from threading import Timer
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from namewarden.detector import encoding
from namewarden.detector.folder import ModelError

ROWS, LOGITS, FAMILIES = "rows", "logits", "families"  # the network's input and its outputs
AT_ONCE = 128
MEMORY = 512 * 1024 * 1024  # weights and all tensors; the packaged model takes a tenth
LONGEST = 400  # letters of another's message
SECONDS = 20.0  # the packaged model takes a thousandth
LABELS = (
    "example",
    "",
    "q" * 63,
    "xjq7k2vbnqwz",
    "0-0_",
    "xn--bcher-kva",
    "weather-of-the-world-9",
)
BROKEN = (ort.Fail, ort.InvalidArgument, ort.InvalidGraph, ort.InvalidProtobuf, ort.NoModel,
          ort.NotImplemented, ort.RuntimeException, ort.EPFail, ort.EngineError, ort.NoSuchFile,
          RuntimeError, ValueError)  # fmt: skip
_LEVELS = onnxruntime.GraphOptimizationLevel


def run(network: bytes, classes: int, seconds: float = SECONDS) -> None:
    """ModelError when input, outputs or what comes out are not a model's. `classes` of families; 0 = none."""
    _limit_memory()
    tried = session(network, as_written=True)
    _check_ports(tried, classes)
    for width in encoding.WIDTHS:
        labels = LABELS if width < encoding.WIDTH else LABELS * (AT_ONCE // len(LABELS))
        rows = encoding.encode(labels, width)
        found = dict(zip((LOGITS, FAMILIES), _run(tried, rows, classes, seconds), strict=False))
        _check(found[LOGITS], LOGITS, len(labels), 1)
        if classes:
            _check(found[FAMILIES], FAMILIES, len(labels), classes)


def session(network: bytes, as_written: bool = False) -> Any:
    """An ONNX Runtime session of one thread. ModelError."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # Never the flatbuffer format, whose mark could be hidden in a file that reads as ONNX too.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    if as_written:
        options.graph_optimization_level = _LEVELS.ORT_DISABLE_ALL
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
    except BROKEN as error:
        raise ModelError(f"does not load: {plain(error)}") from error


def misshapen(found: Any, output: str, names: int, columns: int) -> str:
    """What is wrong with the kind or the shape of an output, in words; "" when nothing is."""
    if not isinstance(found, np.ndarray) or found.dtype != np.float32:
        return f"gives {output} that are no float32 tensor"
    if found.shape == (names, columns) or (columns == 1 and found.shape == (names,)):
        return ""
    return f"gives {output} of shape {found.shape} for {names} names"


def plain(error: Exception) -> str:
    """What ONNX Runtime says quotes names out of the file: nothing of it may move a terminal's cursor."""
    text = str(error)[:LONGEST]
    return "".join(letter if letter.isprintable() else " " for letter in text)


@lru_cache(maxsize=1)
def _limit_memory() -> None:
    """The limit of `use_env_allocators`, once a process."""
    where = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    as_requested = 1  # the arena grows by what is asked for, not to the next power of two
    limits = onnxruntime.OrtArenaCfg(MEMORY, as_requested, -1, -1)
    onnxruntime.create_and_register_allocator(where, limits)


def _check_ports(tried: Any, classes: int) -> None:
    inputs = [each.name for each in tried.get_inputs()]
    outputs = [each.name for each in tried.get_outputs()]
    if inputs != [ROWS]:
        raise ModelError(f"reads {_listed(inputs)}, not {ROWS}")
    wanted = {LOGITS, FAMILIES} if classes else {LOGITS}
    if not wanted <= set(outputs) <= {LOGITS, FAMILIES}:
        raise ModelError(f"gives {_listed(outputs)}, not {_listed(sorted(wanted, reverse=True))}")


def _run(tried: Any, rows: NDArray[np.int32], classes: int, seconds: float) -> Any:
    """With an end: what takes too long is told to stop after the node it is at."""
    how = onnxruntime.RunOptions()
    how.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    watch = Timer(seconds, setattr, (how, "terminate", True))
    watch.start()
    try:
        return tried.run([LOGITS, FAMILIES] if classes else [LOGITS], {ROWS: rows}, how)
    except BROKEN as error:
        why = f"takes more than {seconds:g} s" if how.terminate else "does not run"
        raise ModelError(f"{why} on its first names: {plain(error)}") from error
    finally:
        watch.cancel()


def _check(found: Any, output: str, names: int, columns: int) -> None:
    if fault := misshapen(found, output, names, columns):
        raise ModelError(fault)
    if not np.isfinite(found).all():
        raise ModelError(f"gives {output} that are no finite numbers")


def _listed(names: list[str]) -> str:
    return ", ".join(f"{name[:40]!a}" for name in names[:8])
