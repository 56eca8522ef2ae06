"""What people decide is in the overlay when it is published; a restart, a kill and a full disk lose nothing."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from namewarden.hub import overlay as module
from namewarden.hub.control import Control
from namewarden.hub.overlay import OverlayPublisher
from namewarden.policy import overlay, rules
from tests.hub.made import Clock, until

SECRET = bytes(range(32))


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    made = Control(tmp_path / "control.sqlite", Clock())
    made.start()
    yield made
    made.stop()


def started(folder: Path, control: Control) -> OverlayPublisher:
    (folder / "secret").write_bytes(SECRET)
    made = OverlayPublisher(control, folder / "snapshots", folder / "secret", control._clock)
    made.start()
    return made


def decide(control: Control, name: str, verdict: str = "malicious", expires: float = 0.0) -> None:
    body = {"name": name, "verdict": verdict, "match": "exact", "groups": [], "reason": ""}
    control.put("decision", name, body, None, expires)


def in_force(folder: Path) -> list[str]:
    """What a resolver would read now."""
    link = folder / "snapshots" / "overlay"
    return sorted(rule.name for rule in rules.load(link.parent / link.readlink(), SECRET))


def test_there_is_an_overlay_from_the_start(tmp_path: Path, control: Control) -> None:
    started(tmp_path, control)
    assert in_force(tmp_path) == []


def test_what_was_decided_is_in_force_and_what_was_taken_back_is_not(
    tmp_path: Path, control: Control
) -> None:
    made = started(tmp_path, control)
    decide(control, "a.test.")
    decide(control, "b.test.", "benign")
    assert made.is_pending and made.publish() and not made.is_pending
    assert in_force(tmp_path) == ["a.test.", "b.test."]
    control.remove("decision", "a.test.")
    generation = made.generation
    assert made.publish() and in_force(tmp_path) == ["b.test."]
    assert made.publish() and made.generation == generation + 1
    assert len(list((tmp_path / "snapshots").glob("overlay-*"))) <= module.KEPT


def test_a_restart_leaves_what_is_in_force(tmp_path: Path, control: Control) -> None:
    decide(control, "a.test.")
    first = started(tmp_path, control)
    again = started(tmp_path, control)
    assert again.generation == first.generation and in_force(tmp_path) == ["a.test."]
    decide(control, "b.test.")
    assert again.publish() and in_force(tmp_path) == ["a.test.", "b.test."]


def test_what_was_not_published_when_the_hub_was_killed_is_at_its_next_start(
    tmp_path: Path, control: Control
) -> None:
    started(tmp_path, control)
    decide(control, "a.test.")  # and no `publish`
    started(tmp_path, control)
    assert in_force(tmp_path) == ["a.test."]


@pytest.mark.parametrize("damage", [b"", b"x" * 100])
def test_a_broken_overlay_is_made_anew_at_the_start(
    tmp_path: Path, control: Control, damage: bytes
) -> None:
    decide(control, "a.test.")
    made = started(tmp_path, control)
    overlay.path_of(tmp_path / "snapshots", made.generation).write_bytes(damage)
    started(tmp_path, control)
    assert in_force(tmp_path) == ["a.test."]


def test_a_folder_that_cannot_be_written_is_told_and_tried_again(
    tmp_path: Path, control: Control
) -> None:
    made = started(tmp_path, control)
    folder, away = tmp_path / "snapshots", tmp_path / "away"
    folder.rename(away)
    decide(control, "a.test.")
    assert not made.publish()
    assert "not in force" in made.problem and made.is_pending
    away.rename(folder)
    assert made.publish() and made.problem == "" and in_force(tmp_path) == ["a.test."]


def test_many_at_once_go_out_together_and_each_is_in_force_when_told(
    tmp_path: Path, control: Control
) -> None:
    made = started(tmp_path, control)
    missing: list[str] = []

    def one(number: int) -> None:
        decide(control, f"n{number}.test.")
        made.publish()
        if f"n{number}.test." not in in_force(tmp_path):
            missing.append(f"n{number}.test.")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missing == [] and len(in_force(tmp_path)) == 30 and not made.is_pending


async def test_many_decisions_become_a_base_and_a_change_stays_small(
    tmp_path: Path, control: Control
) -> None:
    made = started(tmp_path, control)
    for number in range(module.FOLD):
        decide(control, f"n{number}.test.")
    decide(control, "old.test.", expires=control._clock() + 10)
    control._clock.now += 20  # type: ignore[attr-defined]
    running = asyncio.ensure_future(made.run())
    await until(lambda: made.generation >= 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert "old.test." not in in_force(tmp_path) and len(in_force(tmp_path)) == module.FOLD
    decide(control, "n1.test.", "benign")
    control.remove("decision", "n2.test.")
    decide(control, "x.test.")
    assert made.publish()
    assert overlay.path_of(tmp_path / "snapshots", made.generation).stat().st_size < 500
    assert "n2.test." not in in_force(tmp_path) and "x.test." in in_force(tmp_path)
    generation = made.generation
    again = started(tmp_path, control)  # what is other than the base is folded at a start
    assert again.generation > generation and len(in_force(tmp_path)) == module.FOLD
    assert started(tmp_path, control).generation == again.generation


async def test_what_has_expired_makes_room(tmp_path: Path, control: Control) -> None:
    made = started(tmp_path, control)
    made.limit = 2
    decide(control, "a.test.")
    decide(control, "b.test.", expires=control._clock() + 10)
    assert made.publish() and made.is_full
    running = asyncio.ensure_future(made.run())
    control._clock.now += 20  # type: ignore[attr-defined]
    await until(lambda: not made.is_full)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert in_force(tmp_path) == ["a.test."]


async def test_what_nobody_published_is_soon(tmp_path: Path, control: Control) -> None:
    made = started(tmp_path, control)
    running = asyncio.ensure_future(made.run())
    begin = time.monotonic()
    decide(control, "a.test.")
    await until(lambda: in_force(tmp_path) == ["a.test."])
    assert time.monotonic() - begin < 5
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_rules_by_kind_and_name_without_what_has_expired(tmp_path: Path, control: Control) -> None:
    made = started(tmp_path, control)
    rule = {"name": "c.test.", "effect": "deny", "match": "both", "groups": [], "reason": ""}
    control.put("rule", "r", rule)
    decide(control, "b.test.", expires=control._clock() + 10)
    decide(control, "a.test.")
    made.publish()
    assert [rule.name for rule in made.rules()] == ["a.test.", "b.test.", "c.test."]
    control._clock.now += 20  # type: ignore[attr-defined]
    assert [rule.name for rule in made.rules()] == ["a.test.", "c.test."]
