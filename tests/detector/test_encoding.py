"""The one encoding: letter by letter, and the same at every width."""

import ast
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from namewarden.detector import encoding


def test_letters_digits_and_the_rest():
    row = encoding.encode(["az09-_*é"])[0].tolist()
    assert row[:8] == [1, 26, 27, 36, 37, 38, encoding.OTHER, encoding.OTHER]
    assert set(row[8:]) == {encoding.PADDING}


def test_alphabet_fills_the_codes():
    codes = encoding.encode([encoding.ALPHABET])[0]
    assert sorted(set(codes.tolist())) == list(range(encoding.OTHER))
    assert encoding.SYMBOLS == encoding.OTHER + 1


@given(st.lists(st.text(max_size=80), max_size=5))
def test_shape_and_range_whatever_comes(labels):
    rows = encoding.encode(labels)
    assert rows.shape == (len(labels), encoding.WIDTH) and rows.dtype == np.int32
    assert not rows.size or 0 <= rows.min() <= rows.max() < encoding.SYMBOLS
    assert not rows.size or (rows[:, -1] == encoding.PADDING).all()


def test_a_narrow_row_is_the_beginning_of_a_wide_one():
    wide = encoding.encode(["example", "x" * 20])
    assert (
        encoding.encode(["example", "x" * 20], encoding.WIDTHS[1]) == wide[:, : encoding.WIDTHS[1]]
    ).all()


def test_training_and_runtime_use_this_very_function():
    """Whoever encodes for the product's model takes `encode` from here; what a baseline reads is its own affair."""
    room = Path(encoding.__file__).parents[1] / "training"
    taken = set()
    for source in sorted(room.glob("*.py")):
        for part in ast.walk(ast.parse(source.read_text())):
            if isinstance(part, ast.ImportFrom) and "encode" in {each.name for each in part.names}:
                assert part.module == "namewarden.detector.encoding"
                taken.add(source.stem)
            assert not (isinstance(part, ast.FunctionDef) and part.name == "encode"), source
    assert {"export", "recipe"} <= taken


def test_widths_of_many_are_those_of_each():
    labels = ["x" * size for size in range(70)]
    for label in labels:
        fitting = [width for width in encoding.WIDTHS if len(label) + encoding.MARGIN <= width]
        assert encoding.width_of(label) == min(fitting, default=encoding.WIDTH)
    assert encoding.widths_of(labels).tolist() == [encoding.width_of(label) for label in labels]
