"""What is no damage is not set aside; what is damaged is, and all octets stay."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from namewarden.events.batch import from_events
from namewarden.events.duckdb import damage
from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import EventLogError, Filters, Stored
from tests.events.samples import NOON, event

TODAY = date.fromtimestamp(NOON)


def open_log(folder: Path) -> DuckDbLog:
    log = DuckDbLog(folder, 91, lambda: NOON)
    log.start()
    return log


def names(log: DuckDbLog) -> list[str]:
    return [item.name for page in log.export(Filters()) for item in page]


def spoil(path: Path, place: int) -> bytes:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x41
    path.write_bytes(data)
    return bytes(data)


def killed_with(folder: Path, batches: int) -> None:
    """A log that was not closed: all is in its write-ahead log."""
    if not (child := os.fork()):
        log = open_log(folder)
        for sequence in range(1, batches + 1):
            rows = [event(name=f"n{n}.b{sequence}.test.") for n in range(100)]
            log.append(from_events("r", sequence, "resolver", rows, first=sequence * 100))
        os._exit(0)
    os.waitpid(child, 0)


def test_a_wrong_octet_in_the_write_ahead_log_costs_no_batch(tmp_path: Path) -> None:
    killed_with(tmp_path, 20)
    (path,) = tmp_path.glob("*.wal")
    octets = spoil(path, path.stat().st_size // 2)
    log = open_log(tmp_path)
    assert len(names(log)) > 1900
    assert "set aside" in log.problems()[0]
    (aside,) = tmp_path.glob("*.corrupt-*.wal")
    assert aside.read_bytes() == octets
    log.stop()


def test_damage_found_while_it_runs_is_mended(tmp_path: Path) -> None:
    """The rows cannot be read; who asks gets them all the same, and who writes goes on."""
    log = open_log(tmp_path)
    log.append(from_events("r", 1, "resolver", [event(name=f"n{n}.") for n in range(1000)]))
    log.stop()
    path = tmp_path / f"{TODAY}.duckdb"
    size, place = path.stat().st_size, 12_288 + 262_144 * 2 + 100
    assert place < size
    spoil(path, place)
    log = open_log(tmp_path)
    assert len(names(log)) == 1000
    assert log.append(
        from_events("r", 2, "resolver", [event(name="after.")], first=1000)
    ) == Stored(rows=1)
    assert log.append(from_events("r", 1, "resolver", [event()])) == Stored(repeated=1)
    assert len(names(log)) == 1001
    assert "damaged" in log.problems()[0]
    log.stop()


def test_what_the_system_refuses_is_no_damage(tmp_path: Path) -> None:
    """A folder in the place of the file cannot be read; nothing is thrown away for that."""
    killed_with(tmp_path, 3)
    path, elsewhere = tmp_path / f"{TODAY}.duckdb", tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.mkdir()
    log = DuckDbLog(tmp_path, 91, lambda: NOON)
    with pytest.raises(EventLogError):
        log.start()
    with pytest.raises(EventLogError):
        log.append(from_events("r", 4, "resolver", [event()]))
    path.rmdir()
    elsewhere.rename(path)
    log.start()
    assert len(names(log)) == 300
    assert log.problems() == []
    log.stop()


def test_a_log_that_could_not_start_starts_again(tmp_path: Path) -> None:
    folder = tmp_path / "events"
    folder.write_text("in the way")
    log = DuckDbLog(folder, 91, lambda: NOON)
    with pytest.raises(EventLogError, match="exists"):
        log.start()
    folder.unlink()
    log.start()
    assert log.append(from_events("r", 1, "resolver", [event()])) == Stored(rows=1)
    log.stop()


def test_another_process_is_told_by_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    damage.check_not_held(path)  # not there
    path.write_text("block")
    damage.check_not_held(path)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    path.unlink()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(EventLogError, match="another hub"):
            damage.check_not_held(path)
        other.communicate(b"\n")
    damage.check_not_held(path)
