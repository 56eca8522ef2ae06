"""The day files: which there are, and how much a hostile client can make the writer remember."""

from datetime import date
from pathlib import Path

from namewarden.events.batch import from_events
from namewarden.events.duckdb import days as module
from namewarden.events.duckdb.days import day_of, oldest_kept, start_of
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Filters
from tests.events.samples import NOON, event


def test_days_are_of_universal_time() -> None:
    assert day_of(0.0) == date(1970, 1, 1)
    assert start_of(date(2026, 11, 21)) == 1795219200.0
    assert oldest_kept(86_400 * 10.5, 3) == date(1970, 1, 9)


def test_foreign_files_are_let_be(tmp_path: Path) -> None:
    log = DuckDbLog(tmp_path, 1, lambda: NOON)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "2020-01-01.duckdb").write_bytes(b"old")
    log.start()
    assert [path.name for path in sorted(tmp_path.iterdir()) if path.suffix == ".txt"] == [
        "notes.txt"
    ]
    assert not (tmp_path / "2020-01-01.duckdb").exists()
    log.stop()


def test_the_dictionary_in_memory_is_bounded_and_rows_stay_right(tmp_path: Path) -> None:
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    day = log._days.open(day_of(NOON))
    for sequence in range(1, 4):
        rows = [event(qtype=f"TYPE{n}") for n in range(200)]
        log.append(from_events("r", sequence, "resolver", rows, first=sequence * 200))
    assert len(day.facts) == 200
    many = {("x", *[str(n)] * 13): n for n in range(module.FACTS_IN_MEMORY)}
    day.learn(many)
    assert len(day.facts) <= module.FACTS_IN_MEMORY
    log.append(from_events("r", 9, "resolver", [event(qtype="TYPE7")]))
    found = [item for page in log.export(Filters(qtype="TYPE7")) for item in page]
    assert len(found) == 4
    log.stop()
