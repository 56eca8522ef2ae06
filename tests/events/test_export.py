"""What leaves as text can be read back, and no cell is a formula."""

import csv
import io
import json

import pytest

from namewarden.events.export import FIELDS, to_csv, to_jsonl
from tests.events.samples import event

PAGES = [[event(name="a.example.org.", score=0.1 + 0.2, cnames=("x.", "y."))], [event(), event()]]


def test_json_lines_hold_every_field() -> None:
    lines = b"".join(to_jsonl(PAGES)).splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 3
    assert list(first) == list(FIELDS)
    assert (first["score"], first["cnames"]) == (0.1 + 0.2, ["x.", "y."])


def test_csv_has_a_header_and_a_line_for_each_event() -> None:
    rows = list(csv.DictReader(io.StringIO(b"".join(to_csv(PAGES)).decode(), newline="")))
    assert [row["name"] for row in rows] == [
        "a.example.org.",
        "www.example.org.",
        "www.example.org.",
    ]
    assert float(rows[0]["score"]) == 0.1 + 0.2
    assert rows[0]["cnames"] == "x. y."
    assert b"".join(to_csv([])).startswith(b"id,time,")


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0.", "+1.", "-1.", "@sum.", "\tx.", "\rx."])
def test_a_name_is_never_a_formula(text: str) -> None:
    row = next(
        csv.DictReader(io.StringIO(b"".join(to_csv([[event(name=text)]])).decode(), newline=""))
    )
    assert row["name"] == "'" + text
