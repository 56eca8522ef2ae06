"""What is read of a damaged file: all that its octets still say, and nothing of another day."""

from pathlib import Path

import duckdb
import pytest

from namewarden.events.batch import from_events
from namewarden.events.duckdb.days import day_of, start_of
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.duckdb.rescue import LOST, rescue
from namewarden.events.log import Filters
from tests.events.samples import NOON, event

START = start_of(day_of(NOON))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    log = DuckDbLog(tmp_path / "events", 91, lambda: NOON)
    log.start()
    log.append(from_events("r", 1, "resolver", [event(name=f"n{n}.") for n in range(5000)]))
    log.stop()
    (path,) = (tmp_path / "events").glob("*.duckdb")
    return path.rename(tmp_path / "copy")


def test_a_file_in_order_is_whole(copy: Path, tmp_path: Path) -> None:
    found = rescue(copy, tmp_path / "new", START)
    assert found.is_whole
    assert found.rows == 5000


def test_a_file_of_others_is_no_day(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"junk" * 5000)
    found = rescue(tmp_path / "copy", tmp_path / "new", START)
    assert found.problem and not found.is_whole
    duckdb.connect(str(tmp_path / "other")).execute("CREATE TABLE t(x INT)").close()
    assert rescue(tmp_path / "other", tmp_path / "new", START).problem


def test_rows_that_cannot_be_of_the_day_are_lost(copy: Path, tmp_path: Path) -> None:
    found = rescue(copy, tmp_path / "new", START + 86_400)
    assert (found.rows, found.lost) == (0, 5000)


def test_rows_without_their_facts_keep_name_client_and_time(copy: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(copy)) as database:
        database.execute("DELETE FROM facts")
    events = tmp_path / "again"
    events.mkdir()
    found = rescue(copy, events / f"{day_of(NOON)}.duckdb", START)
    assert (found.rows, found.lost) == (5000, 0)
    log = DuckDbLog(events, 91, lambda: NOON)
    log.start()
    (row,) = log.find(Filters(name="n17.")).events
    assert (row.id, row.client, row.time, row.action) == (f"{LOST}-17", "192.0.2.7", NOON, "")
    log.stop()
