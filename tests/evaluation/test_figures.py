"""Figures survive their file to the last bit."""

from namewarden.evaluation.figures import read, write
from tests.evaluation.figure import measured


def test_what_is_read_is_what_was_written(tmp_path):
    found = measured()
    write(tmp_path / "figures.json", found)
    assert read(tmp_path / "figures.json") == found
