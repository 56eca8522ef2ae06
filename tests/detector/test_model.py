"""The model's folder: loaded only when it fits, and what is said when it does not."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pytest

from namewarden.detector.model import PACKAGED, Manifest, Model, ModelError, read

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(PACKAGED, tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder, **changes):
    manifest, network = read(PACKAGED)
    network = changes.pop("network", network)
    changed = msgspec.structs.replace(manifest, digest=sha256(network).hexdigest())
    (folder / "model.onnx").write_bytes(network)
    (folder / "manifest.json").write_bytes(
        msgspec.json.encode(msgspec.structs.replace(changed, **changes))
    )


def said(folder) -> str:
    with pytest.raises(ModelError) as refused:
        Model(folder)
    return str(refused.value)


def test_the_packaged_model_is_small_and_in_order():
    manifest, network = read(PACKAGED)
    assert len(network) < 1_000_000
    limits = manifest.thresholds
    assert limits.one_in_100 < limits.one_in_1000 < limits.one_in_10000
    assert manifest.calibration_names >= 100_000
    assert not set(manifest.families) & set(manifest.unseen_families)
    assert manifest.digest[:12] in (PACKAGED / "card.md").read_text()


def test_p_values_fall_as_names_grow_suspicious():
    scores = Model().score_batch(
        ["wikipedia", "weather", "xkcd", "kctcynooqtglbwk", "q9x7zk2vwj4p8xz"]
    )
    ordered = sorted(scores, key=lambda score: score.logit)
    assert [s.p_value for s in ordered] == sorted((s.p_value for s in scores), reverse=True)
    assert ordered[0].p_value > 0.1 > ordered[-1].p_value


def test_p_values_at_the_thresholds_are_their_rates():
    model = Model()
    for limit, rate in zip(
        msgspec.structs.astuple(model.thresholds), (1e-2, 1e-3, 1e-4), strict=True
    ):
        found = model._p_value(limit)
        assert 0.5 * rate < found < 2 * rate


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_changed_network_is_not_loaded(folder, place):
    network = bytearray((folder / "model.onnx").read_bytes())
    network[place] ^= 1
    (folder / "model.onnx").write_bytes(network)
    assert "digest" in said(folder) and "model.path" in said(folder)


def test_external_data_is_refused(folder):
    _, network = read(PACKAGED)
    rewrite(folder, network=network + b"\n\x08location")
    assert "other files" in said(folder)


def test_another_encoding_is_refused(folder):
    rewrite(folder, encoding=99)
    assert "encoding 99" in said(folder)


def test_no_calibration_is_refused(folder):
    rewrite(folder, calibration=())
    assert "calibration" in said(folder)


def test_what_is_no_network_is_refused(folder):
    rewrite(folder, network=b"no network")
    assert "does not load" in said(folder)


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b"[]", b'{"schema": "x"}'])
def test_what_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text)
    assert "is not a manifest" in said(folder)


def test_unknown_keys_are_refused(folder):
    text = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(text.rstrip()[:-1] + b',"more":1}')
    assert "more" in said(folder)


@pytest.mark.parametrize("missing", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    assert "No such file" in said(folder)


def test_raw_logits_come_in_the_order_of_the_labels():
    model = Model()
    labels = ["example", "q" * 40, "weather", "z" * 63, ""]
    alone = [float(model.raw([label])[0]) for label in labels]
    assert np.array_equal(model.raw(labels), np.array(alone))


def test_manifest_survives_its_own_words():
    manifest, _ = read(PACKAGED)
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest) == manifest


def test_nothing_is_written_at_home(tmp_path):
    """ONNX Runtime would keep a device id there. It also keeps quiet when it sees CI, so that is hidden from it."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), "HOME": str(tmp_path)}
    program = "from namewarden.detector.model import Model; Model().raw(['example'])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.rglob("*")) == []
    assert done.stderr == ""
