"""Sums of `count`: they add up to the queries."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from namewarden.events.batch import from_events
from namewarden.events.statistics import summarize, top
from namewarden.events.store import Store
from tests.events.samples import NOON, blocked, event

HOUR = 3600.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    rows = [
        event(count=10),
        event(time=NOON + HOUR, name="other.example.org.", client="192.0.2.8", count=2),
        blocked("bad.example.net.", time=NOON + HOUR, count=5),
        event(time=NOON - 24 * HOUR, count=100),
    ]
    store.append(from_events("r", 1, "resolver", rows))
    yield store
    store.stop()


def test_counts_add_up(store: Store) -> None:
    total = summarize(store.days, NOON - 10, NOON + 2 * HOUR)
    assert (total.queries, total.rows) == (17, 3)
    assert total.by_action == {"allow": 12, "block": 5}
    assert total.by_status == {"FORWARDED": 12, "BLOCKED": 5}
    assert total.by_reason == {"none": 12, "list_deny": 5}
    assert total.by_hour == [(NOON, 10, 0), (NOON + HOUR, 7, 5)]
    assert summarize(store.days, 0, NOON * 2).queries == 117
    assert summarize(store.days, 0, 10).queries == 0


def test_top_names_and_clients(store: Store) -> None:
    whole = (store.days, 0.0, NOON * 2)
    assert top(*whole[:1], "name", *whole[1:]) == [
        ("www.example.org.", 110),
        ("bad.example.net.", 5),
        ("other.example.org.", 2),
    ]
    assert top(store.days, "name", 0, NOON * 2, blocked=True) == [("bad.example.net.", 5)]
    assert top(store.days, "client", NOON, NOON * 2, limit=1) == [("192.0.2.7", 15)]
    assert top(store.days, "name", 0, 10) == []


def test_only_names_and_clients_can_be_ranked(store: Store) -> None:
    with pytest.raises(ValueError):
        top(store.days, "rule; DROP", 0, 1)
