"""What a run leaves in its folder: arrays written whole, and a note of what they were made of.

A run that finds its own note goes on; one that finds another's stops, so that nobody measures the wrong weights.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from namewarden.training.data import GENERATED, HELD, Corpus, assemble
from namewarden.training.recipe import Array, Options, Recipe

NOTE = "made-of.json"
NAMES = "corpus.msgpack"
DATA = "folder of names, a corpus.msgpack kept before, or - for the registry's names alone"


class MadeOf(msgspec.Struct, frozen=True):
    """What decides the arrays in a folder."""

    recipe: str
    options: Options
    names: str  # SHA-256 of the corpus


def save(path: Path, arrays: Mapping[str, Array]) -> None:
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    path.with_suffix(".part").replace(path)


def load(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def claim(out: Path, recipe: Recipe, options: Options, corpus: Corpus) -> None:
    """Make the folder this run's; stop when it is another's."""
    out.mkdir(parents=True, exist_ok=True)
    of = MadeOf(recipe.name, options, digest(corpus))
    note = msgspec.json.format(msgspec.json.encode(of)) + b"\n"
    path = out / NOTE
    if not path.exists():
        path.write_bytes(note)
    elif path.read_bytes() != note:
        raise SystemExit(f"{out} was begun with other names, options or recipe: see {path}")


def made_of(out: Path) -> MadeOf:
    return msgspec.json.decode((out / NOTE).read_bytes(), type=MadeOf)


def digest(corpus: Corpus) -> str:
    """Of the names: no array is made of how many stand under a suffix."""
    return sha256(msgspec.msgpack.encode(replace(corpus, suffixes={}))).hexdigest()


def find_data(start: Path) -> Path | None:
    """`shared/data` beside the folder or beside one above it."""
    places = [parent / "shared" / "data" for parent in start.resolve().parents]
    return next((place for place in places if (place / GENERATED).is_file()), None)


def load_corpus(data: Path, out: Path, held: frozenset[str] = HELD) -> Corpus:
    """The names of a folder, of a corpus kept before, or of the registry (`-`); kept beside the state, so that a
    resumed run has the same."""
    kept = out / NAMES
    if not kept.exists():
        out.mkdir(parents=True, exist_ok=True)
        folder = None if str(data) == "-" else data
        names = (
            data.read_bytes() if data.is_file() else msgspec.msgpack.encode(assemble(folder, held))
        )
        kept.with_suffix(".part").write_bytes(names)
        kept.with_suffix(".part").replace(kept)
    return msgspec.msgpack.decode(kept.read_bytes(), type=Corpus)
