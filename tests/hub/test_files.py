"""A file that only looks otherwise is no other list, and what looks as it did is not read."""

import os
from pathlib import Path

from namewarden.hub.files import contents, looks
from namewarden.policy.source import LIMIT
from namewarden.policy.spec import ListSpec


def of(path: Path) -> list[ListSpec]:
    return [ListSpec("a", str(path))]


def test_a_touched_file_holds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("bad.example\n")
    seen, first = looks(of(path)), contents(of(path), {})
    os.utime(path, (1, 1))
    assert looks(of(path)) != seen
    second = contents(of(path), first)
    assert second != first and second[str(path)][1] == first[str(path)][1]
    path.write_text("worse.example\n")
    assert contents(of(path), second)[str(path)][1] != first[str(path)][1]


def test_what_looks_as_it_did_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("bad.example\n")
    known = {name: (look, "as it was") for name, (look, _) in contents(of(path), {}).items()}
    assert contents(of(path), known) == known


def test_what_is_no_list_is_said_and_not_read(tmp_path: Path) -> None:
    gone, fifo, huge = tmp_path / "gone", tmp_path / "fifo", tmp_path / "huge"
    os.mkfifo(fifo)
    with huge.open("wb") as file:
        file.truncate(LIMIT + 1)
    said = [contents(of(path), {})[str(path)][1] for path in (gone, fifo, huge)]
    assert said == ["No such file or directory", "no list", "no list"]
