"""A model's folder: `manifest.json` and `model.onnx`, read whole, checked against each other, refused with a reason.

`training/export.py` writes such folders, `model.py` runs what is in them. What the network itself is made of is
looked at in `graph.py` and `growth.py`.
"""

import math
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from namewarden.detector import encoding, graph, growth
from namewarden.detector.bands import Thresholds

PACKAGED = Path(__file__).parent / "model"
SCHEMA = 1
LARGEST = 64 * 1024 * 1024
LARGEST_MANIFEST = 8 * 1024 * 1024
MOST_STEPS = 100_000  # of the calibration; the packaged model has 2,200
MOST_NAMES = 4096  # families, and classes of the family head
LONGEST_NAME = 64
MOST_SUFFIXES = 1024  # of all families together; the tables then take 32 MiB at most
LONGEST_SUFFIX = 253
LONGEST_TEXT = 1000  # of what it says of itself
LONGEST_MESSAGE = 400
ADVICE = "give the folder of an exported model, or unset model.path for the packaged one"


class ModelError(Exception):
    """A model that cannot be loaded or run; says what to do."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What belongs to the numbers in `model.onnx`. Logits here are calibrated ones."""

    schema: int
    digest: str  # SHA-256 of model.onnx, hex
    encoding: int  # detector/encoding.py VERSION
    made: str  # date
    temperature: float
    thresholds: Thresholds
    calibration: tuple[
        tuple[float, int], ...
    ]  # conformal: (logit, benign names at or above), rising
    calibration_names: int
    families: tuple[str, ...]  # learned from
    unseen_families: tuple[str, ...]  # kept away, measured only
    seen: str  # the rule by which a benign name was learned from
    family_classes: tuple[
        str, ...
    ] = ()  # of the output `families`, in order; the first is "unknown"
    family_threshold: float = 0.0  # a family less probable than this is not named
    # Class → suffix → the logarithm of the share of its names that stand there; "" for every other suffix. A class
    # that is not here is as likely under any.
    family_suffixes: dict[str, dict[str, float]] = {}
    # Label → logit, uncalibrated, as ONNX Runtime gave it when the model was made: what another forward pass must say.
    examples: dict[str, float] = {}


def read(folder: Path) -> tuple[Manifest, bytes]:
    """Manifest and network of a folder, checked against each other. ModelError."""
    try:
        written = _bytes(folder / "manifest.json", LARGEST_MANIFEST)
        manifest = msgspec.json.decode(written, type=Manifest)
        network = _bytes(folder / "model.onnx", LARGEST)
    except OSError as error:
        where = error.filename or folder
        raise ModelError(f"{where}: {error.strerror or error}: {ADVICE}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # An unknown field is quoted: nothing of it may move a terminal's cursor.
        why = ascii(str(error)[:LONGEST_MESSAGE])[1:-1]
        raise ModelError(f"{folder}/manifest.json is not a manifest: {why}: {ADVICE}") from error
    if fault := _manifest_fault(manifest):
        raise ModelError(f"{folder}/manifest.json: {fault}: {ADVICE}")
    if fault := _network_fault(manifest, network):
        raise ModelError(f"{folder}/model.onnx: {fault}: {ADVICE}")
    return manifest, network


def _bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)


def _network_fault(manifest: Manifest, network: bytes) -> str:
    if len(network) > LARGEST:
        return "it is larger than a model may be"
    if sha256(network).hexdigest() != manifest.digest:
        return "its digest is not the manifest's"
    if manifest.encoding != encoding.VERSION:
        return f"it reads encoding {manifest.encoding}, we write {encoding.VERSION}"
    return graph.fault(network) or growth.fault(network)


def _manifest_fault(manifest: Manifest) -> str:
    """What is wrong with the numbers, in words; "" when nothing is."""
    limits = msgspec.structs.astuple(manifest.thresholds)
    if manifest.schema != SCHEMA:
        return f"its schema is {manifest.schema}, we read {SCHEMA}"
    if not (math.isfinite(manifest.temperature) and manifest.temperature > 0):
        return f"its temperature is {manifest.temperature}, no positive number"
    if not all(map(math.isfinite, limits)) or list(limits) != sorted(limits):
        return "its thresholds are not finite and rising"
    if not 0 <= manifest.family_threshold <= 1:
        return f"its family threshold is {manifest.family_threshold}, no probability"
    if len(manifest.examples) > MOST_NAMES or not all(
        map(math.isfinite, manifest.examples.values())
    ):
        return "its examples are too many, or no numbers"
    return _calibration_fault(manifest) or _names_fault(manifest) or _suffixes_fault(manifest)


def _calibration_fault(manifest: Manifest) -> str:
    if not manifest.calibration:
        return "it has no calibration"
    if manifest.calibration_names < 1:
        return "its thresholds were set on no name"
    if len(manifest.calibration) > MOST_STEPS:
        return f"its calibration has more than {MOST_STEPS} steps"
    at, above = zip(*manifest.calibration, strict=True)
    if not all(map(math.isfinite, at)) or list(at) != sorted(at):
        return "its calibration does not rise"
    if list(above) != sorted(above, reverse=True) or not 0 <= above[-1] <= above[0]:
        return "its calibration counts more names above a higher logit"
    if above[0] > manifest.calibration_names:
        return "its calibration counts more names than there were"
    return ""


def _names_fault(manifest: Manifest) -> str:
    """Family names, and what it says of itself, reach terminals, logs and pages."""
    if not all(
        len(it) <= LONGEST_TEXT and it.isprintable() for it in (manifest.made, manifest.seen)
    ):
        return "what it says of itself does not print, or is too long"
    for names in (manifest.families, manifest.unseen_families, manifest.family_classes):
        if len(names) > MOST_NAMES:
            return f"it names more than {MOST_NAMES} families"
        if not all(name and len(name) <= LONGEST_NAME and name.isprintable() for name in names):
            return "it has a family that is no printable word"
    if len(set(manifest.family_classes)) != len(manifest.family_classes):
        return "it names a family class twice"
    return ""


def _suffixes_fault(manifest: Manifest) -> str:
    of = manifest.family_suffixes
    suffixes = {suffix for found in of.values() for suffix in found}
    if not of.keys() <= set(manifest.family_classes):
        return "it has suffixes of a family that is none of its classes"
    if len(suffixes) > MOST_SUFFIXES:
        return f"it names more than {MOST_SUFFIXES} suffixes"
    if not all(len(each) <= LONGEST_SUFFIX and each.isprintable() for each in suffixes):
        return "it has a suffix that is no printable word"
    if not all("" in found for found in of.values()):
        return "it does not say how likely a family is under other suffixes"
    shares = (share for found in of.values() for share in found.values())
    if not all(math.isfinite(share) and share <= 0 for share in shares):
        return "it has a suffix whose share is no logarithm of one"
    return ""
