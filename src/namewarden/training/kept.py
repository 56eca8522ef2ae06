"""What a run leaves in its folder: arrays written whole, and a note of what they were made of.

A run that finds its own note goes on; one that finds another's stops, so that nobody measures the wrong weights.
"""

import gzip
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from namewarden.training.data import GENERATED, HELD, Corpus, assemble
from namewarden.training.recipe import Array, FitOptions, Recipe

NOTE = "made-of.json"
NAMES = "corpus.msgpack"
SOURCE = "names-of.txt"
REGISTRY = Path("-")
# What reading a list that is cut short, or no such list, raises; a missing one is said by its name.
BROKEN = (gzip.BadGzipFile, EOFError, zlib.error, ValueError, KeyError)
DATA = "folder of names, a corpus.msgpack kept before, or - for the registry's names alone"


class NamesError(Exception):
    """A list that is not what it should be; says which folder."""


class MadeOf(msgspec.Struct, frozen=True):
    """What decides the arrays in a folder."""

    recipe: str
    options: FitOptions
    names: str  # SHA-256 of the corpus


def save(path: Path, arrays: Mapping[str, Array]) -> None:
    with path.with_suffix(".part").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    path.with_suffix(".part").replace(path)


def load(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def claim(out: Path, recipe: Recipe, options: FitOptions, corpus: Corpus) -> None:
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
    resumed run has the same. Stops when those kept are of other data."""
    kept = out / NAMES
    if not kept.exists():
        out.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(msgspec.msgpack.encode(_corpus(data, held)))
        (out / SOURCE).write_text(str(_whole(data)), encoding="utf-8")
        part.replace(kept)
    elif (was := source(out)) not in (None, _whole(data)):
        raise SystemExit(f"{out} keeps the names of {was}, not of {data}: give another folder")
    return msgspec.msgpack.decode(kept.read_bytes(), type=Corpus)


def source(out: Path) -> Path | None:
    """Whose names a folder keeps; None where none are, or nobody noted it."""
    note = out / SOURCE
    return Path(note.read_text(encoding="utf-8")) if note.is_file() else None


def _corpus(data: Path, held: frozenset[str]) -> Corpus:
    if data.is_file():
        return msgspec.msgpack.decode(data.read_bytes(), type=Corpus)
    try:
        return assemble(None if data == REGISTRY else data, held)
    except BROKEN as error:
        raise NamesError(f"{data} has a list that cannot be read: {error}") from error


def _whole(data: Path) -> Path:
    return data if data == REGISTRY else data.resolve()
