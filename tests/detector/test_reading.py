"""Names are read as they come, and watched without a trace. The bar itself is looked at in tests/cli/test_model.py."""

import io
import sys

import pytest

from namewarden.detector.reading import LONGEST, bounded, reading, watched, watching


def test_watching_changes_nothing():
    told: list[tuple[int, int]] = []
    names = [f"n{number}.org\n" for number in range(2500)]
    assert list(watched(names, lambda *more: told.append(more), every=1000)) == names
    assert [count for count, _ in told] == [1000, 1000, 500]
    assert sum(characters for _, characters in told) == sum(map(len, names))


def test_names_are_taken_as_they_are_needed():
    """Who feeds a pipe slowly is not kept waiting for a thousand names."""
    names = iter([f"n{number}.org" for number in range(10)])
    assert next(watched(names, lambda *more: None)) == "n0.org"
    assert next(names) == "n1.org"


def test_octets_that_are_no_text_become_an_invalid_name(tmp_path):
    (tmp_path / "names").write_bytes(b"a.org\n\xff\xfe.org\nb.org\n")
    with reading(str(tmp_path / "names")) as names:
        assert list(names) == ["a.org\n", "\ufffd\ufffd.org\n", "b.org\n"]


def test_standard_input_is_read_the_same_way(monkeypatch):
    raw = io.TextIOWrapper(io.BytesIO(b"\xff.org\nb\xc3\xbccher.org\n"), encoding="ascii")
    monkeypatch.setattr(sys, "stdin", raw)
    with reading("-") as names:
        assert list(names) == ["\ufffd.org\n", "bücher.org\n"]


RETURNS = b"a.com\rb.com\nc.org\r\n\rd.org\r\r\ne.org\r"


def test_a_line_ends_with_its_line_feed_and_nowhere_else(tmp_path, monkeypatch):
    (tmp_path / "names").write_bytes(RETURNS)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RETURNS)))
    for file in (str(tmp_path / "names"), "-"):
        with reading(file) as names:
            found = list(bounded(names))
        assert found == ["a.com\rb.com\n", "c.org\r\n", "\rd.org\r\r\n", "e.org\r"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(OSError), reading(str(tmp_path / "gone")):
        pass


def test_nobody_looks_no_bar(tmp_path):
    with io.StringIO("a.org\n") as names, watching(names) as seen:
        assert list(seen) == ["a.org\n"]


@pytest.mark.parametrize("more", [0, 1, LONGEST, 5 * LONGEST])
def test_of_a_line_without_end_the_beginning_is_taken(more):
    """And what follows is read as ever, whether the file ends with a line's end or not."""
    long = "x" * (LONGEST + more)
    names = io.StringIO(f"a.org\n{long}\n\nb.org\n{long}")
    assert list(bounded(names)) == ["a.org\n", "x" * LONGEST, "\n", "b.org\n", "x" * LONGEST]


def test_a_mark_before_the_first_name_is_none_of_it(tmp_path, monkeypatch):
    (tmp_path / "names").write_bytes(b"\xef\xbb\xbfa.org\nb.org\n")
    with reading(str(tmp_path / "names")) as names:
        assert list(names) == ["a.org\n", "b.org\n"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfa.org\n")))
    with reading("-") as names:
        assert list(names) == ["a.org\n"]
