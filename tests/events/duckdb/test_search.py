"""What hostile questions do: nothing. (What every log must answer: `tests/events/conformance.py`.)"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.events.batch import from_events
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.duckdb.search import from_cursor, to_cursor
from namewarden.events.log import FilterError, Filters
from namewarden.query import Event
from tests.events.conformance import HOSTILE
from tests.events.samples import NOON, blocked, event

ROWS = [
    event(time=NOON - 86_400, name="yesterday.example.org."),
    event(time=NOON, name="a.example.org.", client="192.0.2.1"),
    event(time=NOON + 1, name="example.org.", client="192.0.2.2", qtype="AAAA"),
    event(time=NOON + 1, name="notexample.org.", group="children", transport="tcp"),
    blocked("bad.example.net.", time=NOON + 2),
    event(time=NOON + 3, name="x.y.example.org.", action="review", reason="model_uncertain", family="conficker"),
    event(time=NOON + 4, name="quo'te.test.", status="CACHE"),
]  # fmt: skip


@pytest.fixture(scope="module")
def log() -> Iterator[DuckDbLog]:
    with tempfile.TemporaryDirectory() as folder:
        log = DuckDbLog(Path(folder), 91, lambda: NOON)
        log.start()
        log.append(from_events("r1", 1, "resolver", ROWS))
        yield log
        log.stop()


def names(log: DuckDbLog, **filters: object) -> list[str]:
    return [item.name for item in log.find(msgspec.convert(filters, Filters)).events]


hostile = st.text(max_size=30) | st.sampled_from([*HOSTILE, "a' UNION SELECT 1 --", "*."])
TEXTS = [name for name in Filters.__struct_fields__ if name not in ("since", "until")]


def plain_matches(item: Event, filters: dict[str, str]) -> bool:
    """The same question in Python."""
    for field, wanted in filters.items():
        value = getattr(item, field)
        if field == "name":
            wanted = wanted.lower().removesuffix(".") + "."
            if not (value.endswith(wanted[1:]) if wanted.startswith("*.") else value == wanted):
                return False
        elif value != wanted:
            return False
    return True


known = {
    field: st.sampled_from(sorted({str(getattr(row, field)) for row in ROWS} - {""})) for field in TEXTS
    if any(getattr(row, field) for row in ROWS)
}  # fmt: skip


@given(
    st.fixed_dictionaries(
        {}, optional={field: hostile | known.get(field, hostile) for field in TEXTS}
    )
)
def test_no_value_changes_the_question(log: DuckDbLog, filters: dict[str, str]) -> None:
    filters = {field: value for field, value in filters.items() if value}
    try:
        found = [item.name for item in log.find(msgspec.convert(filters, Filters)).events]
    except FilterError:
        assert "*" in filters["name"]
        return
    assert sorted(found) == sorted(row.name for row in ROWS if plain_matches(row, filters))
    assert len(names(log)) == len(ROWS)


@given(st.floats(0, 4e9), st.integers(0, 10**12), st.integers(0, 10**6))
def test_a_cursor_comes_back_exactly(at: float, number: int, fact: int) -> None:
    position = (datetime.fromtimestamp(at, UTC).date(), at, number, fact)
    assert from_cursor(to_cursor(position)) == position


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        from_cursor(text)
