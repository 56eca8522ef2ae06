"""Versioned documents: nobody overwrites what he has not seen, and nothing outlives its end."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from namewarden.hub.control import ABSENT, Conflict, Control, ControlError
from tests.hub.made import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def control(tmp_path: Path, clock: Clock) -> Iterator[Control]:
    control = Control(tmp_path / "control.sqlite", clock)
    control.start()
    yield control
    control.stop()


def test_a_document_comes_back_as_it_was(control: Control) -> None:
    written = control.put(
        "rule", "one", {"name": "a.example.org.", "groups": ["x"]}, ABSENT, 2000.0
    )
    assert control.get("rule", "one") == written
    assert (written.changed, written.expires) == (1000.0, 2000.0)
    assert control.find("rule") == [written]
    assert control.get("decision", "one") is None


def test_a_change_needs_the_version_that_was_read(control: Control) -> None:
    first = control.put("rule", "one", {"n": 1}, ABSENT)
    second = control.put("rule", "one", {"n": 2}, first.version)
    with pytest.raises(Conflict, match="changed meanwhile") as conflict:
        control.put("rule", "one", {"n": 3}, first.version)
    assert conflict.value.found == second.version
    with pytest.raises(Conflict, match="there already"):
        control.put("rule", "one", {"n": 3}, ABSENT)
    with pytest.raises(Conflict, match="not there any more"):
        control.put("rule", "two", {"n": 3}, 5)
    with pytest.raises(Conflict):
        control.remove("rule", "one", first.version)
    found = control.get("rule", "one")
    assert found is not None and found.body == {"n": 2}


def test_a_document_made_again_is_another(control: Control) -> None:
    first = control.put("rule", "one", {"n": 1}, ABSENT)
    assert control.remove("rule", "one", first.version)
    assert not control.remove("rule", "one")
    control.put("rule", "one", {"n": 1}, ABSENT)
    with pytest.raises(Conflict):
        control.put("rule", "one", {"n": 2}, first.version)


def test_what_has_expired_is_not_there(control: Control, clock: Clock) -> None:
    control.put("decision", "a.", {}, ABSENT, 1010.0)
    control.put("decision", "b.", {})
    assert control.next_expiry() == 1010.0
    clock.now = 1010.0
    assert control.get("decision", "a.") is None
    assert [d.id for d in control.find("decision")] == ["b."]
    assert control.next_expiry() == 0.0
    control.put("decision", "a.", {}, ABSENT)
    control.put("session", "s", {}, expires=1020.0)
    clock.now = 1030.0
    assert control.expire() == 1


def test_the_revision_rises_with_what_a_snapshot_is_made_of(control: Control) -> None:
    before = control.revision
    control.put("session", "s", {})
    control.put("audit", "s", {})
    assert control.revision == before
    control.put("rule", "r", {})
    control.put("decision", "a.", {})
    assert control.revision == before
    control.put("list", "r", {})
    control.remove("list", "r")
    assert control.revision == before + 2


def test_rules_and_decisions_that_changed_are_given_once(control: Control) -> None:
    assert not control.has_ruled
    control.put("rule", "r", {"n": 1})
    last = control.put("rule", "r", {"n": 2})
    control.put("decision", "a.", {})
    control.remove("decision", "a.")
    control.put("list", "l", {})
    assert control.has_ruled
    assert control.take_ruled() == {("rule", "r"): last, ("decision", "a."): None}
    assert not control.has_ruled and control.take_ruled() == {}


def test_only_the_last_of_a_kind_are_kept(control: Control) -> None:
    for n in range(10):
        control.put("audit", f"{n}", {"n": n})
    control.trim("audit", 3)
    assert [d.body["n"] for d in control.latest("audit", 10)] == [9, 8, 7]
    control.trim("audit", 30)
    assert len(control.find("audit")) == 3


def test_of_many_at_once_one_wins(control: Control) -> None:
    first = control.put("rule", "one", {"n": -1}, ABSENT)
    won: list[int] = []

    def change(n: int) -> None:
        try:
            control.put("rule", "one", {"n": n}, first.version)
            won.append(n)
        except Conflict:
            pass

    threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = control.get("rule", "one")
    assert found is not None and won == [found.body["n"]]


def test_it_is_on_disk_for_this_user_only(tmp_path: Path, control: Control) -> None:
    control.put("rule", "one", {})
    assert (tmp_path / "control.sqlite").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(tmp_path / "control.sqlite") as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("SELECT count(*) FROM document").fetchone() == (1,)
    other.close()


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"no database" * 1000)
    with pytest.raises(ControlError, match="not a database"):
        Control(tmp_path / "c").start()
    with pytest.raises(ControlError, match="not open"):
        Control(tmp_path / "c").get("rule", "x")


def test_a_file_of_another_version_is_let_be(tmp_path: Path, control: Control) -> None:
    control.stop()
    with sqlite3.connect(tmp_path / "control.sqlite") as other:
        other.execute("UPDATE state SET value = 9 WHERE name = 'schema'")
    other.close()
    with pytest.raises(ControlError, match="another version"):
        Control(tmp_path / "control.sqlite").start()
