"""The store keeps what it acknowledged: once, in its day, through kill -9 and through damage."""

import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from namewarden.events.batch import from_events
from namewarden.events.days import StoreError
from namewarden.events.search import Filters, find, find_all
from namewarden.events.statistics import summarize
from namewarden.events.store import Store, Stored
from tests.events.samples import NOON, event

WRITER = """
import sys, time
from pathlib import Path
from namewarden.events.batch import from_events
from namewarden.events.store import Store
from tests.events.samples import NOON, event

store = Store(Path(sys.argv[1]), 91, lambda: NOON)
store.start()
for sequence in range(1, 10_000):
    rows = [event(name=f"n{n}.b{sequence}.example.org.") for n in range(2000)]
    store.append(from_events("run1", sequence, "resolver", rows, first=sequence * 2000))
    sys.stdout.write(f"{sequence}\\n")
    sys.stdout.flush()
"""


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "events", 91, lambda: NOON)
    store.start()
    yield store
    store.stop()


def names(store: Store) -> list[str]:
    return [item.name for page in find_all(store.days, Filters()) for item in page]


def test_events_come_back_as_they_were(store: Store) -> None:
    rows = [
        event(
            time=NOON + 1, score=0.1 + 0.2, band="uncertain", cnames=("a.example.", "b.example.")
        ),
        event(time=NOON, count=7),
    ]
    assert store.append(from_events("r", 1, "resolver", rows, first=5)) == Stored(rows=2)
    page = find(store.days, Filters())
    assert [item.id for item in page.events] == ["r-5", "r-6"]
    first = page.events[0]
    assert (first.score, first.cnames, first.time) == (
        0.1 + 0.2,
        ("a.example.", "b.example."),
        NOON + 1,
    )
    assert page.events[1].score is None
    assert page.events[1].count == 7


def test_a_repeated_batch_is_stored_once(store: Store) -> None:
    batch = from_events("r", 1, "resolver", [event()])
    assert store.append(batch) == Stored(rows=1)
    assert store.append(batch) == Stored(repeated=1)
    assert store.append(from_events("r", 2, "resolver", [event()])) == Stored(rows=1)
    assert len(names(store)) == 2


def test_a_repeated_batch_is_known_after_a_restart(tmp_path: Path) -> None:
    batch = from_events("r", 7, "resolver", [event()])
    for expected in (Stored(rows=1), Stored(repeated=1)):
        store = Store(tmp_path, 91, lambda: NOON)
        store.start()
        assert store.append(batch) == expected
        store.stop()


def test_a_batch_over_midnight_goes_into_two_files(store: Store) -> None:
    midnight = NOON + 43_200
    rows = [event(time=midnight - 1, name="before."), event(time=midnight + 1, name="after.")]
    assert store.append(from_events("r", 1, "resolver", rows)) == Stored(rows=2)
    assert len(store.days.present()) == 2
    assert names(store) == ["after.", "before."]


def test_days_beyond_the_retention_are_removed_and_not_taken(tmp_path: Path) -> None:
    clock = [NOON]
    store = Store(tmp_path, 2, lambda: clock[0])
    store.start()
    store.append(from_events("r", 1, "resolver", [event(name="first.")]))
    clock[0] += 86_400
    store.append(from_events("r", 2, "resolver", [event(time=clock[0], name="second.")]))
    assert names(store) == ["second.", "first."]
    clock[0] += 86_400
    rows = [event(time=clock[0], name="third."), event(name="late."), event(time=clock[0] + 1e6)]
    assert store.append(from_events("r", 3, "resolver", rows)) == Stored(rows=1, misdated=2)
    assert names(store) == ["third.", "second."]
    assert len(list(tmp_path.glob("*.duckdb"))) == 2
    store.stop()


def test_absurd_times_are_not_kept(store: Store) -> None:
    rows = [event(time=value) for value in (-1e300, 1e300, 0.0, 5e9)]
    assert store.append(from_events("r", 1, "resolver", rows)) == Stored(misdated=4)


def test_what_a_source_dropped_is_in_the_log(store: Store) -> None:
    batch = from_events("r", 1, "resolver", [event()])
    from msgspec.structs import replace

    store.append(replace(batch, dropped_events=3, dropped_queries=12))
    store.append(from_events("r", 2, "resolver", [event(count=4)]))
    store.note_gap("r", "resolver", "killed")
    total = summarize(store.days, NOON - 10, NOON + 10)
    assert (total.queries, total.rows) == (5, 2)
    assert (total.dropped_events, total.dropped_queries, total.killed_runs) == (3, 12, 1)


def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path) -> None:
    today = date.fromtimestamp(NOON)
    (tmp_path / f"{today}.duckdb").write_bytes(b"not a database" * 1000)
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    assert "set aside" in store.days.problems[0]
    assert store.append(from_events("r", 1, "resolver", [event()])) == Stored(rows=1)
    assert len(list(tmp_path.glob("*.corrupt-*"))) == 1
    store.stop()


def test_a_damaged_log_beside_a_good_file_costs_only_the_log(tmp_path: Path) -> None:
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    store.append(from_events("r", 1, "resolver", [event(name="kept.")]))
    store.stop()
    today = date.fromtimestamp(NOON)
    (tmp_path / f"{today}.duckdb.wal").write_bytes(b"\x07junk" * 400)
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    assert names(store) == ["kept."]
    store.stop()


def test_a_second_hub_is_told_so(tmp_path: Path) -> None:
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    code = (
        "import sys; from pathlib import Path; from namewarden.events.store import Store\n"
        f"Store(Path(sys.argv[1]), 91, lambda: {NOON}).start()"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert "another hub" in second.stderr
    assert not list(tmp_path.glob("*.corrupt-*"))
    store.stop()


def test_a_store_that_is_not_open_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path, 91).append(from_events("r", 1, "resolver", [event(time=NOON)]))


@pytest.mark.parametrize("acknowledged", [3, 25])
def test_nothing_acknowledged_is_missing_after_kill_9(tmp_path: Path, acknowledged: int) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    seen = 0
    while seen < acknowledged:
        seen = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.stdout.close()
    writer.wait()
    seen = int(rest[-1]) if rest else seen
    store = Store(tmp_path, 91, lambda: NOON)
    store.start()
    rows = [row[0] for row in _batches(store)]
    assert rows[:seen] == list(range(1, seen + 1))
    assert len(rows) <= seen + 1
    assert len(names(store)) == 2000 * len(rows)
    repeated = from_events("run1", seen, "resolver", [event()])
    assert store.append(repeated) == Stored(repeated=1)
    assert not store.days.problems
    store.stop()


def _batches(store: Store) -> list[tuple[int]]:
    day = store.days.open(date.fromtimestamp(NOON))
    return (
        store.days.cursor()
        .execute(f"SELECT sequence FROM {day.name}.batches ORDER BY 1")
        .fetchall()
    )
