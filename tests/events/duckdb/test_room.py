"""The bounds of the day files. (What every log keeps: `tests/events/conformance.py`; a full disk: `tests/faults/`.)"""

from datetime import date
from pathlib import Path

from namewarden.events.batch import from_events
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Bounds
from tests.events.samples import NOON, event


def test_what_was_set_aside_counts_and_goes_with_its_day(tmp_path: Path) -> None:
    before = date.fromtimestamp(NOON - 86_400)
    aside = tmp_path / f"{before}.duckdb.corrupt-1"
    aside.write_bytes(bytes(4 << 20))
    (tmp_path / "mine.txt").write_bytes(bytes(4 << 20))
    log = DuckDbLog(tmp_path, 91, lambda: NOON, bounds=Bounds(size=3 << 20))
    log.start()
    log.append(from_events("r", 1, "resolver", [event(), event(time=NOON - 86_400)]))
    assert not aside.exists()
    assert log.days() == [date.fromtimestamp(NOON)]
    assert (tmp_path / "mine.txt").exists()
    log.stop()
