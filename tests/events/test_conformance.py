"""The stores of this house keep what `events/log.py` promises; and the suite finds one that does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from namewarden.events.duckdb.log import DuckDbLog
from namewarden.events.log import EventLog, Filters, Page
from tests.events import conformance
from tests.events.conformance import RETENTION
from tests.events.list_log import ListLog

Clock = Callable[[], float]


def open_duckdb(folder: Path, clock: Clock) -> EventLog:
    log = DuckDbLog(folder, RETENTION, clock)
    log.start()
    return log


def open_list(folder: Path, clock: Clock) -> EventLog:
    log = ListLog(RETENTION, clock)
    log.start()
    return log


LOGS = {"duckdb": open_duckdb, "list": open_list}
EXCUSED = {"list": frozenset({"kept_over_a_restart"})}


@pytest.mark.parametrize("capability", conformance.CAPABILITIES)
@pytest.mark.parametrize("name", LOGS)
def test_it_keeps(name: str, capability: str, tmp_path: Path) -> None:
    excused = EXCUSED.get(name, frozenset())
    conformance.check(capability, lambda clock: LOGS[name](tmp_path, clock), excused)


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
        log = Forgetful(RETENTION, clock)
        log.start()
        return log

    with pytest.raises(AssertionError):
        conformance.check("each_filter_holds", open_log)
