"""From weights to a packaged model: ONNX, thresholds from held-out benign names, manifest and card.

`python -m namewarden.training.export OUT FOLDER` reads what `train.py` left in OUT. Thresholds are set
with the very code that runs in the resolver; what the model finds is measured by `namewarden evaluate`.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import msgspec
import numpy as np
from numpy.typing import NDArray

from namewarden.detector.bands import Thresholds, settle_all
from namewarden.detector.encoding import VERSION, encode
from namewarden.detector.model import Manifest, Model
from namewarden.training.card import write_card
from namewarden.training.data import Corpus
from namewarden.training.kept import made_of
from namewarden.training.measure import RATES, Logits, centre, confident, temperature, thresholds
from namewarden.training.recipe import Neural
from namewarden.training.recipes import find
from namewarden.training.suffixes import family_suffixes
from namewarden.training.train import classes, judge, load_weights

SEEN = (
    "benign label learned from: it is the scored label of a name in the training lists and "
    "SHA-256 of the label, first 4 bytes big-endian, modulo 10, is below 5, or below 8 where one maker alone lists it; "
    "so are nearly all of the 10,000 most popular names of early 2025"
)
LOOKED_AT = [
    "example",
    "xjq7k2vbn",
    "weather-of-the-world",
    "q" * 63,
    "",
    "a",
    "google",
    "xn--bcher-kva",
    "0-0_9",
    "kctcynooqtglbwk",
    "mail-of-the-houses-by-the-river",
]
NEVER = 1e9  # a threshold that no logit reaches
IN_PLACE = ("card.md", "model.onnx", "manifest.json")  # the manifest last: it makes them a model
NAMED_FROM = (
    0.25  # a family less probable is not named; of evenly drawn letters three are often alike
)
ALONE = 100  # highest calibration logits kept one by one; then each whose rank is by STEP greater
STEP = 1.02


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m namewarden.training.export", description=__doc__
    )
    parser.add_argument("out", type=Path, help="folder with weights.npz and corpus.msgpack")
    parser.add_argument("folder", type=Path, help="folder of the model to be written")
    given = parser.parse_args()
    weights = given.out / "weights.npz"
    if not weights.exists():
        raise SystemExit(f"{weights} is missing: nothing is there that has learned to the end")
    corpus = msgspec.msgpack.decode((given.out / "corpus.msgpack").read_bytes(), type=Corpus)
    recipe = find(made_of(given.out).recipe)
    assert isinstance(recipe, Neural)
    export(recipe, load_weights(recipe, weights, len(classes(corpus))), corpus, given.folder)


def export(recipe: Neural, model: "keras.Model", corpus: Corpus, folder: Path) -> Model:
    """Write the folder; returns the model as the resolver will load it."""
    with replacing(folder) as new:
        return _export(recipe, model, corpus, new)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to write a model in, on the file system of the final one, which stays as it is until that has loaded;
    then the files are renamed. Between network and manifest the final one is refused by its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=folder) as made:
        yield Path(made)
        for name in IN_PLACE:
            (Path(made) / name).replace(folder / name)


def _export(recipe: Neural, model: "keras.Model", corpus: Corpus, folder: Path) -> Model:
    """A model that only measures comes first, then in its place the one whose thresholds are of what that said."""
    benign, known = _logits_of(_raw(to_onnx(recipe, model), corpus, folder), corpus)
    both, bad = np.concatenate([benign, known]), np.arange(len(benign) + len(known)) >= len(benign)
    network = to_onnx(recipe, model, centre(both, bad))
    raw = _raw(network, corpus, folder)
    benign, known = _logits_of(raw, corpus)
    divisor = temperature(np.concatenate([benign, known]), bad)
    calibrated = settle_all(benign, divisor)
    limits = [*thresholds(calibrated)[:-1], confident(calibrated, RATES[-1])]
    made = _manifest(network, divisor, limits, quantiles(calibrated), len(calibrated), corpus)
    _write(folder, msgspec.structs.replace(made, examples=examples(raw)))
    final = Model(folder)
    write_card(folder / "card.md", final.manifest, len(network))
    return final


def _raw(network: bytes, corpus: Corpus, folder: Path) -> Model:
    """The network as the resolver will load it, not calibrated yet; as it stands it blocks nothing."""
    (folder / "model.onnx").write_bytes(network)
    _write(folder, _manifest(network, 1.0, (NEVER,) * 3, ((0.0, 0),), 1, corpus))
    return Model(folder)


def examples(raw: Model) -> dict[str, float]:
    """What other forward passes are to say: labels of each width, met and not met, with all that a label may have."""
    return dict(zip(LOOKED_AT, raw.raw(LOOKED_AT).tolist(), strict=True))


def _logits_of(raw: Model, corpus: Corpus) -> tuple[Logits, Logits]:
    """Logits of the benign and the generated names that calibrate."""
    known = [raw.raw(labels) for labels in corpus.known["calibration"].values()]
    return raw.raw(corpus.benign["calibration"]), np.concatenate(known)


def to_onnx(recipe: Neural, model: "keras.Model", shift: float = 0.0) -> bytes:
    """The network alone: rows of codes [names, width] → logits; as Keras says, to 1e-3 of what float16 holds."""
    if recipe.graph is None:
        raise SystemExit(
            f"{recipe.name} is a recipe to compare with; own is the one that is packaged"
        )
    network = recipe.graph(model, shift)
    logits = judge(recipe, model)(LOOKED_AT)
    _same(network, encode(LOOKED_AT), logits)
    return network


def _same(network: bytes, rows: NDArray[np.int32], wanted: NDArray[np.float64]) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    got = session.run(["logits"], {"rows": rows})[0]
    worst = float(np.max(np.abs(got.reshape(-1) - wanted)))
    if worst > 1e-3:
        raise SystemExit(f"the exported network says something else: {worst} apart")


def quantiles(calibrated: NDArray[np.float64]) -> tuple[tuple[float, int], ...]:
    """(logit, benign names at or above) rising: ranks are told to one, or to their fiftieth."""
    ordered = np.sort(calibrated)
    total = len(ordered)
    steps = ALONE * STEP ** np.arange(np.log(max(total / ALONE, 1)) / np.log(STEP))
    ranks = {*range(min(ALONE, total)), *steps[steps < total].astype(int).tolist(), total - 1}
    return tuple(
        (float(round(ordered[place], 6)), int(total - np.searchsorted(ordered, ordered[place])))
        for place in sorted(total - 1 - rank for rank in ranks)
    )


def _manifest(
    network: bytes,
    divisor: float,
    limits: "tuple[float, ...] | list[float]",
    calibration: tuple[tuple[float, int], ...],
    names: int,
    corpus: Corpus,
) -> Manifest:
    return Manifest(
        schema=1,
        digest=sha256(network).hexdigest(),
        encoding=VERSION,
        made=datetime.now(UTC).date().isoformat(),
        temperature=divisor,
        thresholds=Thresholds(*limits),
        calibration=calibration,
        calibration_names=names,
        families=tuple(sorted(corpus.known["train"])),
        unseen_families=tuple(sorted({*corpus.choose, *corpus.unseen, *corpus.fed})),
        seen=SEEN,
        family_classes=classes(corpus),
        family_threshold=NAMED_FROM,
        family_suffixes=family_suffixes(corpus),
    )


def _write(folder: Path, manifest: Manifest) -> None:
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest) + b"\n")


if __name__ == "__main__":
    main()
