"""The model's folder: read only when its parts fit, and what is said when they do not."""

import shutil
from hashlib import sha256

import msgspec
import pytest

from namewarden.detector.bands import Thresholds
from namewarden.detector.folder import (
    LARGEST,
    LONGEST_SUFFIX,
    MOST_STEPS,
    MOST_SUFFIXES,
    PACKAGED,
    Manifest,
    ModelError,
    read,
)
from tests.detector.networks import CLASSES, voting, write


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(PACKAGED, tmp_path / "model")
    return tmp_path / "model"


def said(folder) -> str:
    with pytest.raises(ModelError) as refused:
        read(folder)
    return str(refused.value)


def test_the_packaged_model_is_small_and_in_order():
    manifest, network = read(PACKAGED)
    assert len(network) < 1_000_000
    limits = manifest.thresholds
    assert limits.one_in_100 < limits.one_in_1000 < limits.one_in_10000
    assert manifest.calibration_names >= 100_000
    assert not set(manifest.families) & set(manifest.unseen_families)
    assert manifest.digest[:12] in (PACKAGED / "card.md").read_text()


def test_manifest_survives_its_own_words():
    manifest, _ = read(PACKAGED)
    assert msgspec.json.decode(msgspec.json.encode(manifest), type=Manifest) == manifest


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_changed_network_is_not_loaded(folder, place):
    network = bytearray((folder / "model.onnx").read_bytes())
    network[place] ^= 1
    (folder / "model.onnx").write_bytes(network)
    assert "digest" in said(folder) and "model.path" in said(folder)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schema": 2}, "schema is 2"),
        ({"encoding": 99}, "encoding 99"),
        ({"digest": ""}, "digest"),
        ({"temperature": 0.0}, "temperature is 0.0"),
        ({"temperature": -1.0}, "temperature is -1.0"),
        ({"thresholds": Thresholds(1.0, 3.0, 2.0)}, "thresholds"),
        ({"family_threshold": 1.5}, "family threshold"),
        ({"examples": {str(number): 0.0 for number in range(5000)}}, "examples"),
        ({"calibration": ()}, "no calibration"),
        ({"calibration": ((0.0, 0),), "calibration_names": 0}, "set on no name"),
        ({"calibration_names": -1}, "set on no name"),
        ({"calibration": ((1.0, 5), (0.0, 4))}, "does not rise"),
        ({"calibration": ((0.0, 4), (1.0, 5))}, "more names above a higher"),
        ({"calibration": ((0.0, 4), (1.0, -1))}, "more names above a higher"),
        ({"calibration": ((0.0, 4000),)}, "more names than there were"),
        ({"calibration": ((0.0, 1),) * (MOST_STEPS + 1)}, "steps"),
        ({"families": ("x",) * 5000}, "families"),
        ({"families": ("\x1b[31mred",)}, "no printable word"),
        ({"family_classes": ("unknown", "")}, "no printable word"),
        ({"made": "\x1b[31m2026"}, "says of itself"),
        ({"seen": "x" * 5000}, "says of itself"),
        ({"family_classes": ("unknown", "x" * 65)}, "no printable word"),
        ({"family_classes": ("unknown", "twice", "twice")}, "twice"),
    ],
)
def test_a_manifest_that_cannot_be_is_refused(tmp_path, changes, why):
    assert why in said(write(tmp_path / "model", voting(), **changes))


MANY = {str(number): -1.0 for number in range(MOST_SUFFIXES // 2)}


@pytest.mark.parametrize(
    ("suffixes", "why"),
    [
        ({"gamma": {"": 0.0}}, "none of its classes"),
        ({"alpha": {"": -1.0, **MANY}, "beta": {"": -1.0, **{f"{k}.org": -1.0 for k in MANY}}}, "more than"),
        ({"alpha": {"": -1.0, "x" * (LONGEST_SUFFIX + 1): -1.0}}, "suffix that is no printable word"),
        ({"alpha": {"": -1.0, "\x1b[2J": -1.0}}, "suffix that is no printable word"),
        ({"alpha": {"org": -1.0}}, "other suffixes"),
        ({"alpha": {}}, "other suffixes"),
        ({"alpha": {"": 0.1}}, "no logarithm of one"),
        ({"alpha": {"": -1.0, "org": 1e-9}}, "no logarithm of one"),
    ],
)  # fmt: skip
def test_a_table_of_suffixes_that_cannot_be_is_refused(tmp_path, suffixes, why):
    folder = tmp_path / "model"
    assert why in said(write(folder, voting(), family_classes=CLASSES, family_suffixes=suffixes))


def test_examples_are_numbers(tmp_path):
    folder = write(tmp_path / "model", voting(), examples={"a": 1.0})
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('{"a":1.0}', '{"a":1e999}'))
    with pytest.raises(ModelError):
        read(folder)


@pytest.mark.parametrize("number", ["NaN", "-1e999", "-Infinity", "null", '"-1"'])
def test_shares_that_are_no_numbers_are_refused(tmp_path, number):
    folder = tmp_path / "model"
    write(folder, voting(), family_classes=CLASSES, family_suffixes={"alpha": {"": -7.5}})
    text = (folder / "manifest.json").read_text()
    assert text.count("-7.5") == 1
    (folder / "manifest.json").write_text(text.replace("-7.5", number))
    assert "manifest.json" in said(folder)


@pytest.mark.parametrize("number", ["NaN", "1e999", "Infinity", "null"])
@pytest.mark.parametrize("field", ["temperature", "one_in_100", "family_threshold"])
def test_numbers_that_are_none_are_refused(tmp_path, field, number):
    folder = write(tmp_path / "model", voting())
    text = (folder / "manifest.json").read_text()
    before, _, after = text.partition(f'"{field}":')
    rest = after[min(after.find(end) for end in ",}" if end in after) :]
    (folder / "manifest.json").write_text(f'{before}"{field}":{number}{rest}')
    assert "manifest.json" in said(folder)


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff", b"[]", b'{"schema": "x"}'])
def test_what_is_no_manifest_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text)
    assert "is not a manifest" in said(folder)


def test_unknown_keys_are_refused(folder):
    text = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(text.rstrip()[:-1] + b',"more":1}')
    assert "more" in said(folder)


def test_an_unknown_key_is_quoted_in_print(folder):
    text = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json").write_bytes(text.rstrip()[:-1] + b',"\\u001b[31m":1}')
    assert said(folder).isprintable() and "unknown field" in said(folder)


@pytest.mark.parametrize("missing", ["model.onnx", "manifest.json"])
def test_a_missing_file_is_named(folder, missing):
    (folder / missing).unlink()
    assert f"{missing}: No such file" in said(folder)


def test_a_file_larger_than_any_model_is_not_read_whole(folder):
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(LARGEST + 10)
    assert "larger than a model may be" in said(folder)


def test_what_the_network_is_made_of_is_looked_at(tmp_path):
    data = b"no network"
    folder = write(tmp_path / "model", data)
    assert sha256(data).hexdigest() in (folder / "manifest.json").read_text()
    assert "is not ONNX" in said(folder)
