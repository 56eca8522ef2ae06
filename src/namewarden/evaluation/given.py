"""The names a run measures on: assembled once from the lists, kept beside the results, the same for every model.

A corpus that was kept elsewhere (`corpus.msgpack`) serves as well, and so do the package registry's names alone (`-`);
then the sorts that need whole names are left out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from namewarden.detector import label
from namewarden.detector.label import Labels, Scorable, dynamic_providers
from namewarden.evaluation import answers, made, names
from namewarden.evaluation.names import WholeNames, gather, without_lists
from namewarden.training import data as training_data
from namewarden.training import generators, registry
from namewarden.training.data import GENERATED, Corpus, assemble
from namewarden.training.kept import BROKEN, REGISTRY

T = TypeVar("T")


class MissingError(Exception):
    """Something that a measurement needs is not there; says what to give."""


class Given(Struct, frozen=True):
    corpus: Corpus
    names: WholeNames
    source: str  # in words


OF_REGISTRY = "the package registry's alone; its families are kinds of made-up generators"


def load(data: Path, held: frozenset[str], out: Path, tell: Callable[[str], None]) -> Given:
    """Names of a folder of lists or of a kept corpus. MissingError."""
    corpus = corpus_of(data, held, out, tell)
    _check(corpus, data)
    if data == REGISTRY:
        return Given(corpus, without_lists(), OF_REGISTRY)
    if data.is_file():
        return Given(corpus, without_lists(), f"a kept corpus, {data.name}")
    return Given(corpus, _names(data, held, corpus, out, tell), "the lists of --data")


def corpus_of(data: Path, held: frozenset[str], out: Path, tell: Callable[[str], None]) -> Corpus:
    """The labels alone, to learn from as well as to measure on. MissingError."""
    if data == REGISTRY:
        return _registry_corpus(out, tell)
    if data.is_file():
        tell(f"reading {data.name}")
        return _read(data, Corpus)
    return _folder_corpus(data, held, out, tell)


def _registry_corpus(out: Path, tell: Callable[[str], None]) -> Corpus:
    def corpus() -> Corpus:
        tell("reading the lists of the package registry (a minute)")
        return assemble(None)

    return _kept(out / f"corpus-registry-{rules()}.msgpack", Corpus, corpus)


def _folder_corpus(
    data: Path, held: frozenset[str], out: Path, tell: Callable[[str], None]
) -> Corpus:
    if not (data / GENERATED).is_file():
        raise MissingError(f"{data} has no {GENERATED}: give the folder of the lists with --data")

    def corpus() -> Corpus:
        tell("reading the lists (a minute)")
        try:
            with _readable(data):
                return assemble(data, held)
        except FileNotFoundError as error:
            raise MissingError(f"{error.filename} is missing: --data is no whole folder") from error

    return _kept(out / f"corpus-{_key(data, held)}.msgpack", Corpus, corpus)


def _names(
    data: Path, held: frozenset[str], found: Corpus, out: Path, tell: Callable[[str], None]
) -> WholeNames:
    def gathered() -> WholeNames:
        tell("gathering hard and new names (a minute)")
        with _readable(data):
            return gather(data, found)

    return _kept(out / f"names-{_key(data, held)}.msgpack", WholeNames, gathered)


@contextmanager
def _readable(data: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise MissingError(f"{data} has a list that cannot be read: {error}") from error


def _kept(path: Path, kind: type[T], make: Callable[[], T]) -> T:
    """What the file holds; made anew when there is none, or one of another version."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, msgspec.DecodeError):
        made = make()
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.msgpack.encode(made))
        part.replace(path)
        return made


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise MissingError(f"{path} is no kept corpus: {error}") from error


def _key(data: Path, held: frozenset[str]) -> str:
    """Changes with the files (their names and sizes), with the families kept away, and with the rules of assembly."""
    files = sorted((path.name, path.stat().st_size) for path in data.glob("*/*"))
    return sha256(repr((files, sorted(held), rules())).encode()).hexdigest()[:12]


def rules() -> str:
    """A digest of the code that decides which names there are: what was kept by other rules is not read."""
    sources = (label, training_data, registry, generators, names, answers, made)
    found = sha256()
    for source in sources:
        found.update(Path(str(source.__file__)).read_bytes())
    return found.hexdigest()[:12]


def as_learned(corpus: Corpus, learned: Collection[str]) -> Corpus:
    """The same names where no family that a model learned from counts as kept away: a corpus kept by another run may
    keep away others than the model's did."""
    known = {
        each: {family: list(labels) for family, labels in found.items()}
        for each, found in corpus.known.items()
    }
    for group in (corpus.choose, corpus.unseen):
        for family in group.keys() & learned:
            for one in group[family]:
                known[training_data.side(one)].setdefault(family, []).append(one)
    choose, unseen = (
        {family: found for family, found in group.items() if family not in learned}
        for group in (corpus.choose, corpus.unseen)
    )
    return msgspec.structs.replace(corpus, known=known, choose=choose, unseen=unseen)


def not_taught(given: Given, by: Corpus, data: Path) -> Given:
    """The same names but for benign ones beside the training side whose label the other names teach: what two makers
    list here, one alone may list there, or it is popular there. Sorts of names stay: none is said to be new to a
    model. MissingError when that leaves nothing of `data`."""
    taught = frozenset(by.benign["train"])
    corpus = _labels_not_of(taught, given.corpus)
    _check(corpus, data)
    newer = {title: _not_of(taught, labels) for title, labels in given.names.newer.items()}
    left = msgspec.structs.replace(given.names, newer=newer)
    return msgspec.structs.replace(given, corpus=corpus, names=left)


def _labels_not_of(taught: frozenset[str], corpus: Corpus) -> Corpus:
    """The most popular stay: they are learned from, and reported as such."""
    benign = {
        each: found if each == "train" else _not_of(taught, found)
        for each, found in corpus.benign.items()
    }
    single, queried = _not_of(taught, corpus.single), _names_not_of(taught, corpus.queried)
    return msgspec.structs.replace(corpus, benign=benign, single=single, queried=queried)


def _not_of(taught: frozenset[str], labels: Iterable[str]) -> list[str]:
    return [one for one in labels if one not in taught]


def _names_not_of(taught: frozenset[str], whole: Iterable[str]) -> list[str]:
    """Of whole names the scored label counts; what the product does not score teaches nothing."""
    labels = Labels(dynamic_providers(), remembered=0)
    whats = ((name, labels.scored(name)) for name in whole)
    return [name for name, it in whats if not (isinstance(it, Scorable) and it.label in taught)]


def _check(corpus: Corpus, data: Path) -> None:
    for what, found in (
        ("benign names to set thresholds", corpus.benign["calibration"]),
        ("benign names to report on", corpus.benign["test"]),
        ("generated names of known families", corpus.known["test"]),
    ):
        if not found:
            raise MissingError(f"{data} holds no {what}: nothing can be measured")
