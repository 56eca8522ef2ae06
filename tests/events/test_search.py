"""Filters, pages and what hostile questions do: nothing."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.events.batch import from_events
from namewarden.events.search import (
    FilterError,
    Filters,
    find,
    find_all,
    from_cursor,
    to_cursor,
)
from namewarden.events.store import Store
from namewarden.query import Event
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
def store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), 91, lambda: NOON)
        store.start()
        store.append(from_events("r1", 1, "resolver", ROWS))
        yield store
        store.stop()


def names(store: Store, **filters: object) -> list[str]:
    return [item.name for item in find(store.days, msgspec.convert(filters, Filters)).events]


def test_newest_first_over_all_days(store: Store) -> None:
    assert names(store)[0] == "quo'te.test."
    assert names(store)[-1] == "yesterday.example.org."
    assert len(names(store)) == len(ROWS)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"name": "example.org"}, ["example.org."]),
        ({"name": "EXAMPLE.org."}, ["example.org."]),
        (
            {"name": "*.example.org"},
            ["x.y.example.org.", "a.example.org.", "yesterday.example.org."],
        ),
        ({"name": "quo'te.test"}, ["quo'te.test."]),
        ({"client": "192.0.2.1"}, ["a.example.org."]),
        ({"action": "block"}, ["bad.example.net."]),
        ({"status": "CACHE"}, ["quo'te.test."]),
        ({"reason": "list_deny"}, ["bad.example.net."]),
        ({"group": "children"}, ["notexample.org."]),
        ({"family": "conficker"}, ["x.y.example.org."]),
        ({"qtype": "AAAA"}, ["example.org."]),
        ({"transport": "tcp"}, ["notexample.org."]),
        ({"action": "block", "qtype": "AAAA"}, []),
        ({"since": NOON + 3}, ["quo'te.test.", "x.y.example.org."]),
        ({"since": NOON, "until": NOON + 1}, ["a.example.org."]),
        ({"until": NOON}, ["yesterday.example.org."]),
    ],
)
def test_each_filter_holds(store: Store, filters: dict[str, object], expected: list[str]) -> None:
    assert names(store, **filters) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8])
def test_pages_of_any_size_give_every_event_once(store: Store, size: int) -> None:
    seen, cursor = [], ""
    while True:
        page = find(store.days, Filters(), size, cursor)
        seen += [item.id for item in page.events]
        cursor = page.cursor
        if not cursor:
            break
        assert len(page.events) == size
    assert len(seen) == len(set(seen)) == len(ROWS)


def test_all_matches_within_a_limit(store: Store) -> None:
    assert sum(len(page) for page in find_all(store.days, Filters(), 4)) == 4
    assert sum(len(page) for page in find_all(store.days, Filters())) == len(ROWS)


hostile = st.text(max_size=30) | st.sampled_from(
    [
        "' OR 1=1 --",
        "'; DROP TABLE rows; --",
        "?",
        "%",
        "_",
        "\\",
        "$1",
        "a' UNION SELECT 1 --",
        "\x00",
        "*.",
    ]
)
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
def test_no_value_changes_the_question(store: Store, filters: dict[str, str]) -> None:
    filters = {field: value for field, value in filters.items() if value}
    try:
        found = [item.name for item in find(store.days, msgspec.convert(filters, Filters)).events]
    except FilterError:
        assert "*" in filters["name"]
        return
    assert sorted(found) == sorted(row.name for row in ROWS if plain_matches(row, filters))
    assert len(names(store)) == len(ROWS)


@given(st.floats(0, 4e9), st.integers(0, 10**12), st.integers(0, 10**6))
def test_a_cursor_comes_back_exactly(at: float, number: int, fact: int) -> None:
    position = (datetime.fromtimestamp(at, UTC).date(), at, number, fact)
    assert from_cursor(to_cursor(position)) == position


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        from_cursor(text)


def test_a_star_inside_is_refused(store: Store) -> None:
    with pytest.raises(FilterError, match="star"):
        find(store.days, Filters(name="a.*.example.org"))
