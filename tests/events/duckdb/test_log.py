"""DuckDB keeps what it acknowledged: once, in its day, through kill -9 and through damage."""

import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from namewarden.events.batch import from_events
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Filters, Stored
from tests.events.samples import NOON, event

WRITER = """
import sys, time
from pathlib import Path
from namewarden.events.batch import from_events
from namewarden.events.duckdb.log import DuckDbLog
from tests.events.samples import NOON, event

log = DuckDbLog(Path(sys.argv[1]), 91, lambda: NOON)
log.start()
for sequence in range(1, 10_000):
    rows = [event(name=f"n{n}.b{sequence}.example.org.") for n in range(2000)]
    log.append(from_events("run1", sequence, "resolver", rows, first=sequence * 2000))
    sys.stdout.write(f"{sequence}\\n")
    sys.stdout.flush()
"""


@pytest.fixture
def log(tmp_path: Path):
    log = DuckDbLog(tmp_path / "events", 91, lambda: NOON)
    log.start()
    yield log
    log.stop()


def names(log: DuckDbLog) -> list[str]:
    return [item.name for page in log.export(Filters()) for item in page]


def test_days_beyond_the_retention_are_removed_and_not_taken(tmp_path: Path) -> None:
    clock = [NOON]
    log = DuckDbLog(tmp_path, 2, lambda: clock[0])
    log.start()
    log.append(from_events("r", 1, "resolver", [event(name="first.")]))
    clock[0] += 86_400
    log.append(from_events("r", 2, "resolver", [event(time=clock[0], name="second.")]))
    assert names(log) == ["second.", "first."]
    clock[0] += 86_400
    rows = [event(time=clock[0], name="third."), event(name="late."), event(time=clock[0] + 1e6)]
    assert log.append(from_events("r", 3, "resolver", rows)) == Stored(rows=1, misdated=2)
    assert names(log) == ["third.", "second."]
    assert len(list(tmp_path.glob("*.duckdb"))) == 2
    log.stop()


def test_who_reads_slowly_does_not_let_the_write_ahead_log_grow(log: DuckDbLog) -> None:
    """As a row that is changed or removed would."""
    log.append(from_events("r", 1, "resolver", [event()] * 20_000))
    exported = log.export(Filters())
    next(exported)
    for sequence in range(2, 8):
        rows = [event(rule=f"{n}".rjust(1000, "x")) for n in range(16_384)]
        log.append(from_events("r", sequence, "resolver", rows, first=sequence * 20_000))
    assert sum(path.stat().st_size for path in log._days.folder.glob("*.wal")) < 40e6
    assert sum(map(len, exported)) == 10_000


def test_a_client_that_asks_for_every_type_holds_nobody_up(log: DuckDbLog) -> None:
    rows = [event(qtype=f"TYPE{n}") for n in range(16_384)]
    batch = from_events("r", 1, "resolver", rows)
    began = time.process_time()
    assert log.append(batch).rows == 16_384
    assert time.process_time() - began < 3.0  # one by one they took thirty
    assert [item.id for item in log.find(Filters(qtype="TYPE777")).events] == ["r-777"]


def test_a_damaged_file_is_set_aside_and_said(tmp_path: Path) -> None:
    today = date.fromtimestamp(NOON)
    (tmp_path / f"{today}.duckdb").write_bytes(b"not a database" * 1000)
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    assert "set aside" in log.problems()[0]
    assert log.append(from_events("r", 1, "resolver", [event()])) == Stored(rows=1)
    assert len(list(tmp_path.glob("*.corrupt-*"))) == 1
    log.stop()


def test_a_damaged_log_beside_a_good_file_costs_only_the_log(tmp_path: Path) -> None:
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    log.append(from_events("r", 1, "resolver", [event(name="kept.")]))
    log.stop()
    today = date.fromtimestamp(NOON)
    (tmp_path / f"{today}.duckdb.wal").write_bytes(b"\x07junk" * 400)
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    assert names(log) == ["kept."]
    log.stop()


def test_a_second_hub_is_told_so(tmp_path: Path) -> None:
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    code = (
        "import sys; from pathlib import Path; from namewarden.events.duckdb.log import DuckDbLog\n"
        f"DuckDbLog(Path(sys.argv[1]), 91, lambda: {NOON}).start()"
    )
    second = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert "another hub" in second.stderr
    assert not list(tmp_path.glob("*.corrupt-*"))
    log.stop()


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
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    log.start()
    rows = [row[0] for row in _batches(log)]
    assert rows[:seen] == list(range(1, seen + 1))
    assert len(rows) <= seen + 1
    assert len(names(log)) == 2000 * len(rows)
    repeated = from_events("run1", seen, "resolver", [event()])
    assert log.append(repeated) == Stored(repeated=1)
    assert not log.problems()
    log.stop()


def _batches(log: DuckDbLog) -> list[tuple[int]]:
    day = log._days.open(date.fromtimestamp(NOON))
    return (
        log._days.cursor().execute(f"SELECT sequence FROM {day.name}.batches ORDER BY 1").fetchall()
    )
