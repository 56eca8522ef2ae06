"""The policy in force: swapped when another is published, kept when that one cannot be read."""

import asyncio
import os
import time

import pytest
import structlog.testing

from namewarden.policy import decide, overlay
from namewarden.policy.overlay import Overlay
from namewarden.policy.spec import RuleSpec
from namewarden.policy.terms import Asked
from namewarden.process.notices import FolderNotices
from namewarden.process.watcher import PolicyWatcher
from tests.policy.made import SECRET, snapshot_of


def publish(folder, name, text):
    made = snapshot_of(folder / name, {"l": text})
    link = folder / "new"
    link.symlink_to(made.path)
    os.replace(link, folder / "current")


def rule(folder, generation, *denied, **base):
    rules = tuple(RuleSpec("decision", name, "deny") for name in denied)
    overlay.write(folder, Overlay(generation, rules, **base), SECRET)
    overlay.put_in_force(folder, generation)


@pytest.fixture
def taken():
    return []


@pytest.fixture
def reached():
    """What was told with each policy."""
    return []


@pytest.fixture
def changed(taken, reached):
    def keep(policy, reaches):
        taken.append(policy)
        reached.append(reaches)

    return keep


@pytest.fixture
def watcher(tmp_path, changed):
    return PolicyWatcher(tmp_path, SECRET, changed)


def test_nothing_published_is_waited_for(watcher):
    assert not watcher.look() and watcher.problem == ""


def test_another_policy_is_taken_once(tmp_path, watcher, taken):
    publish(tmp_path, "one", "a.example\n")
    assert watcher.look() and watcher.look()
    publish(tmp_path, "two", "b.example\n")
    assert watcher.look() and taken[-1] is watcher.current() and len(taken) == 2


def test_one_that_cannot_be_read_is_told_and_tried_again(tmp_path, watcher, taken):
    publish(tmp_path, "one", "a.example\n")
    watcher.look()
    publish(tmp_path, "two", "b.example\n")
    file = tmp_path / "two" / "policy.snap"
    whole = file.read_bytes()
    file.write_bytes(whole[:100])
    with structlog.testing.capture_logs() as told:
        assert watcher.look() and watcher.look() and len(taken) == 1
    assert ["is not a policy snapshot" in line["problem"] for line in told] == [True]
    file.write_bytes(whole)
    assert watcher.look() and len(taken) == 2 and watcher.problem == ""


def denied(watcher, *names):
    policy = watcher.current()
    return [name for name in names if decide.lists(policy, name, Asked("default", time.time()))]


def test_a_decision_alone_leaves_the_snapshot_and_tells_what_it_reaches(
    tmp_path, watcher, taken, reached
):
    rule(tmp_path, 1)
    publish(tmp_path, "one", "a.example\n")
    assert watcher.look() and reached == [None]
    rule(tmp_path, 2, "b.example.")
    assert watcher.look()
    assert denied(watcher, "a.example.", "b.example.") == ["a.example.", "b.example."]
    assert watcher.current().snapshot is taken[0].snapshot
    assert [reached[1](name) for name in ("a.example.", "b.example.")] == [False, True]
    publish(tmp_path, "two", "c.example\n")
    assert watcher.look() and reached[2] is None
    assert denied(watcher, "a.example.", "b.example.", "c.example.") == ["b.example.", "c.example."]


def test_an_overlay_that_cannot_be_read_leaves_the_last_good_one(tmp_path, watcher, taken):
    publish(tmp_path, "one", "a.example\n")
    rule(tmp_path, 1, "b.example.")
    watcher.look()
    rule(tmp_path, 2, "c.example.")
    file = overlay.path_of(tmp_path, 2)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with structlog.testing.capture_logs() as told:
        assert watcher.look() and watcher.look() and len(taken) == 1
    assert ["is no overlay" in line["problem"] for line in told] == [True]
    assert denied(watcher, "b.example.", "c.example.") == ["b.example."]
    file.write_bytes(whole)
    assert watcher.look() and watcher.problem == ""
    assert denied(watcher, "b.example.", "c.example.") == ["c.example."]


def test_a_broken_overlay_is_waited_for_at_the_start(tmp_path, watcher):
    publish(tmp_path, "one", "a.example\n")
    rule(tmp_path, 1, "b.example.")
    overlay.path_of(tmp_path, 1).write_bytes(b"")
    assert not watcher.look() and "is no overlay" in watcher.problem
    rule(tmp_path, 2, "b.example.")
    assert watcher.look() and denied(watcher, "b.example.") == ["b.example."]


def test_changes_of_a_base(tmp_path, watcher, reached):
    publish(tmp_path, "one", "a.example\n")
    rule(tmp_path, 1, "b.example.")
    base = overlay.write(
        tmp_path, Overlay(2, (RuleSpec("decision", "b.example.", "deny"),)), SECRET
    )
    watcher.look()
    rule(tmp_path, 3, "c.example.", base=2, digest=base)
    assert watcher.look() and denied(watcher, "b.example.", "c.example.") == [
        "b.example.", "c.example."
    ]  # fmt: skip
    assert [reached[1](name) for name in ("b.example.", "c.example.")] == [False, True]


async def test_a_change_is_taken_at_once(tmp_path, watcher):
    publish(tmp_path, "one", "a.example\n")
    await asyncio.wait_for(watcher.first(), 5)
    following = asyncio.ensure_future(watcher.follow())
    await asyncio.sleep(0.05)
    for generation in range(1, 6):
        rule(tmp_path, generation, f"n{generation}.example.")
        begin = time.monotonic()
        while not denied(watcher, f"n{generation}.example."):
            assert time.monotonic() - begin < 1.0
            await asyncio.sleep(0.001)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def test_what_nobody_tells_is_seen_all_the_same(tmp_path, changed):
    watcher = PolicyWatcher(tmp_path, SECRET, changed, FolderNotices(tmp_path / "gone"))
    waiting = asyncio.ensure_future(watcher.first())
    await asyncio.sleep(0.05)
    publish(tmp_path, "one", "a.example\n")
    await asyncio.wait_for(waiting, 5)
    assert denied(watcher, "a.example.") == ["a.example."]


async def test_one_that_stands_by_lets_others_take_a_policy_first(tmp_path, watcher, taken):
    publish(tmp_path, "one", "a.example\n")
    watcher.look()
    watcher.pause = 60.0
    task = asyncio.ensure_future(watcher.follow())
    publish(tmp_path, "two", "b.example\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(taken) == 1
    watcher.pause = 0.0  # its turn has come
    assert watcher.look() and len(taken) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
