"""The stores of this house keep what `events/log.py` promises; and the suite finds one that does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import Bounds, EventLog, Filters, Page
from tests.events import conformance
from tests.events.conformance import RETENTION, SIZE
from tests.events.list_log import ListLog

Clock = Callable[[], float]


def open_duckdb(folder: Path, clock: Clock) -> EventLog:
    log = DuckDbLog(folder, RETENTION, clock, bounds=Bounds(SIZE))
    log.start()
    return log


def open_list(folder: Path, clock: Clock) -> EventLog:
    log = ListLog(RETENTION, clock, SIZE)
    log.start()
    return log


LOGS = {"duckdb": open_duckdb, "list": open_list}
EXCUSED = {"list": frozenset({"kept_over_a_restart"})}


@pytest.mark.parametrize("capability", conformance.CAPABILITIES)
@pytest.mark.parametrize("name", LOGS)
def test_it_keeps(name: str, capability: str, tmp_path: Path) -> None:
    excused = EXCUSED.get(name, frozenset())
    conformance.check(capability, lambda clock: LOGS[name](tmp_path, clock), excused)


@pytest.mark.parametrize("place", [0, 4100, 12288 + 5000, 12288 + 262144 + 5000, -200_000])
def test_duckdb_reads_what_one_wrong_octet_leaves(place: int, tmp_path: Path) -> None:
    def spoil() -> None:
        path = sorted(tmp_path.glob("*.duckdb"))[-1]
        data = bytearray(path.read_bytes())
        data[place] ^= 0x41
        path.write_bytes(data)

    conformance.damage_is_named_and_the_rest_is_read(
        lambda clock: open_duckdb(tmp_path, clock), spoil
    )


def test_an_excuse_that_is_not_needed_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="take the excuse away"):
        conformance.check(
            "newest_first", lambda clock: open_list(tmp_path, clock), frozenset({"newest_first"})
        )


class Forgetful(ListLog):
    """Asks for the action alone."""

    def find(self, filters: Filters, limit: int = 100, cursor: str = "") -> Page:
        return super().find(Filters(action=filters.action), limit, cursor)


def test_a_wrong_match_shows(tmp_path: Path) -> None:
    def open_log(clock: Clock) -> EventLog:
        log = Forgetful(RETENTION, clock, SIZE)
        log.start()
        return log

    with pytest.raises(AssertionError):
        conformance.check("each_filter_holds", open_log)
