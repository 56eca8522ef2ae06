"""Who runs a network: our own forward pass where it can, ONNX Runtime everywhere else."""

import pytest

from namewarden.detector import network
from namewarden.detector.folder import PACKAGED, read
from namewarden.detector.forward import Forward
from namewarden.detector.runtime import Runtime
from tests.detector.networks import CLASSES, voting, write


def test_the_packaged_network_is_run_by_our_own_where_it_was_built():
    pytest.importorskip("namewarden.detector._forward", reason="C helpers not built")
    assert isinstance(network.load(*read(PACKAGED), {}), Forward)


def test_without_a_compiler_onnx_runtime_serves():
    assert isinstance(network.load(*read(PACKAGED), {"NAMEWARDEN_PURE": "1"}), Runtime)


def test_any_other_network_is_run_by_onnx_runtime(tmp_path):
    folder = write(tmp_path / "model", voting(), family_classes=CLASSES, examples={"a": 1.0})
    found = network.load(*read(folder), {})
    assert isinstance(found, Runtime)
    assert found.logits(["aab", "a"]).tolist() == [3, 1] and found.logit("aab") == 3
