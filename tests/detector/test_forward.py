"""The forward pass in C says what ONNX Runtime says, and is taken for nothing but the network that it knows."""

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import numpy_helper
from structlog.testing import capture_logs

from namewarden.detector import forward, graph
from namewarden.detector.folder import PACKAGED, read
from namewarden.detector.model import Model
from namewarden.detector.runtime import Runtime
from namewarden.query import Score
from tests.detector import conformance
from tests.detector.networks import parsed, voting

helper: Any = pytest.importorskip("namewarden.detector._forward", reason="C helpers not built")
MANIFEST, NETWORK = read(PACKAGED)
CLASSES = len(MANIFEST.family_classes)
NEAR = 1e-5  # between sums in another order


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(NETWORK, CLASSES)


@pytest.fixture(scope="module")
def own() -> forward.Forward:
    found = forward.load(MANIFEST, NETWORK, {})
    assert found is not None
    return found


@pytest.fixture(params=["wide", "plain"])
def is_wide(request) -> Iterator[bool]:
    """Both paths, on processors that have both."""
    found = helper.wide(request.param == "wide")
    if request.param == "wide" and not found:
        pytest.skip("this processor has no AVX2 and FMA")
    yield found
    helper.wide(True)


@pytest.fixture(scope="module")
def told() -> tuple[list[str], list[Score]]:
    """Names and what is said of them by ONNX Runtime; many near the thresholds."""
    model = Model(environ={"NAMEWARDEN_PURE": "1"})
    assert isinstance(model.network, Runtime) and not model.is_quick
    names = [f"{label.partition('.')[0]}.com" for label in conformance.made_up(8000)]
    return names, model.score_batch(names)


LABELS = [*conformance.ODD, *conformance.PLAIN, *conformance.made_up(1500)]
LABELS += ["a" * size for size in range(70)]


def test_the_packaged_network_is_the_one_it_knows(own, is_wide):
    model = Model(environ={})
    assert isinstance(model.network, forward.Forward) and model.is_quick
    conformance.check(model)


def test_logits_are_those_of_onnx_runtime(own, runtime, is_wide):
    """To the last bit where both take AVX2; ONNX Runtime has kernels of its own for AVX-512."""
    found, wanted = own.logits(LABELS), runtime.logits(LABELS)
    assert np.abs(found - wanted).max() < NEAR
    if is_wide and "avx512f" not in Path("/proc/cpuinfo").read_text():
        assert (found == wanted).all()


def test_bands_and_families_are_those_of_onnx_runtime(told, is_wide):
    own = Model(environ={})
    limits = msgspec.structs.astuple(own.thresholds)
    close = [score for score in told[1] if min(abs(score.logit - it) for it in limits) < 0.3]
    assert len(close) > 300
    for mine, theirs in zip(own.score_batch(told[0]), told[1], strict=True):
        assert (mine.band, mine.family) == (theirs.band, theirs.family)
        assert mine.logit == pytest.approx(theirs.logit, abs=NEAR)


def test_family_logits_are_those_of_onnx_runtime(own, runtime, is_wide):
    found = own.families(LABELS)
    assert found.shape == (len(LABELS), CLASSES)
    assert np.abs(found - runtime.families(LABELS)).max() < 10 * NEAR
    assert own.families([]).shape == (0, CLASSES) and own.logits([]).shape == (0,)


@given(st.text(max_size=80))
def test_any_text_is_read_as_the_encoding_reads_it(text):
    own = forward.load(MANIFEST, NETWORK, {})
    assert own is not None
    replaced = text.encode("ascii", "replace").decode().replace("?", "!")
    assert own.logit(text) == own.logit(replaced) == own.logits([text])[0]


def test_one_alone_is_as_one_of_many_in_many_threads(own):
    many = LABELS[:400] * 10
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(own.logit, many))
        batches = list(pool.map(own.logits, [many] * 8))
    assert all(batch.tolist() == alone for batch in batches)


def test_what_is_no_label_is_an_error(own):
    for given_ in (None, b"example", 7):
        with pytest.raises(TypeError):
            own.logit(given_)
        with pytest.raises(TypeError):
            own.logits(["example", given_])
    with pytest.raises((TypeError, ValueError)):
        helper.logit(object(), "example")
    with pytest.raises(TypeError):
        helper.logit("example")


def test_without_the_helper_or_examples_onnx_runtime_serves():
    assert forward.load(MANIFEST, NETWORK, {"NAMEWARDEN_PURE": "1"}) is None
    assert forward.load(msgspec.structs.replace(MANIFEST, examples={}), NETWORK, {}) is None


def test_what_says_something_else_is_not_taken_and_told():
    examples = {**MANIFEST.examples, "example": MANIFEST.examples["example"] + 0.01}
    with capture_logs() as told:
        found = forward.load(msgspec.structs.replace(MANIFEST, examples=examples), NETWORK, {})
    assert found is None
    assert told[0]["apart"] == pytest.approx(0.01, abs=1e-4)


def changed(name: str, change: Any) -> bytes:
    """The packaged network with another tensor."""
    model = parsed(NETWORK)
    for tensor in model.graph.initializer:
        if tensor.name == name:
            value = change(numpy_helper.to_array(tensor).copy())
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(value), name))
    data: bytes = model.SerializeToString()
    assert data != NETWORK
    return data


def put(place: Any, value: Any) -> Any:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("starts", put((17, 0), 757_701)),
        ("starts", put((0, 0), -1)),
        ("starts", put((0, 0), 2**31 - 1)),
        ("sizes", put((3, 0), 0)),
        ("sizes", put((3, 0), -5)),
        ("sizes", put((3, 0), 2**31 - 1)),
        ("factors", put((0, 0, 0), -1.0)),
        ("factors", put((0, 0, 0), 0.5)),
        ("factors", put((0, 0, 0), np.nan)),
        ("factors", put((0, 0, 0), 1e30)),
        ("factors", put((0, 0, 0), 2.0**24)),
        ("octets", lambda array: array[:-1]),
        ("octets", lambda array: array.astype(np.int32)),
        ("octets", lambda array: array[:0]),
        ("book_half", put((0, 0), np.inf)),
        ("letters_half", put((0, 0), np.nan)),
        ("lengths_half", lambda array: array[:-1]),
        ("first_half", lambda array: array[:-1]),
        ("second_half", lambda array: array.transpose(1, 0, 2)[:, :-1]),
        ("hidden_bias_half", lambda array: array[:-1]),
        ("families_bias_half", lambda array: array[:-1]),
        ("by_part", lambda array: np.array([0, 6, 3, -1])),
        ("axis_2", lambda array: np.array([1])),
        ("one", lambda array: np.array(0.5, np.float32)),
    ],
)
def test_tensors_of_another_kind_are_left_to_onnx_runtime(name, change):
    assert forward.load(MANIFEST, changed(name, change), {}) is None


def test_other_graphs_are_left_to_onnx_runtime():
    assert forward.load(MANIFEST, voting(), {}) is None
    model = parsed(NETWORK)
    model.graph.node[-1].op_type = "Identity"
    assert forward.load(MANIFEST, model.SerializeToString(), {}) is None
    model = parsed(NETWORK)
    del model.graph.output[-1]
    assert forward.load(MANIFEST, model.SerializeToString(), {}) is None
    model = parsed(NETWORK)
    model.opset_import[0].version = 18
    assert forward.load(MANIFEST, model.SerializeToString(), {}) is None


def test_the_helper_takes_nothing_of_another_size():
    parts = forward._parts(graph.tensors(NETWORK), CLASSES)
    for at in range(len(parts)):
        longer = None if at == 4 else parts[at] + b"\0"  # octets that no place asks for
        for wrong in (parts[at][:-1], longer, None, 1):
            with pytest.raises((ValueError, TypeError)):
                helper.load((*parts[:at], wrong, *parts[at + 1 :]), CLASSES)
    for classes in (0, -1, 46, 48, 2**31 - 1):
        with pytest.raises(ValueError):
            helper.load(parts, classes)
    with pytest.raises(IndexError):
        helper.load(parts[:5], CLASSES)


def test_what_is_let_go_is_given_back():
    parts = forward._parts(graph.tensors(NETWORK), CLASSES)
    wrong = (*parts[:-1], b"")

    def load_and_run() -> None:
        helper.families(helper.load(parts, CLASSES), ["example"] * 100)
        with pytest.raises(ValueError):
            helper.load(wrong, CLASSES)

    load_and_run()
    tracemalloc.start()
    try:
        for _ in range(10):
            load_and_run()
        assert tracemalloc.get_traced_memory()[0] < len(parts[4])  # octets of one network
    finally:
        tracemalloc.stop()


def test_onnx_runtime_is_not_loaded_for_the_packaged_model():
    script = (
        "import sys; from namewarden.detector.model import Model; "
        "Model().score_batch(['example.com', 'xqzjvkwpfhgtrbnm.net']); print('onnxruntime' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert told.stdout == "False\n", told.stderr
