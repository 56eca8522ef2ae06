"""The policy in force: swapped when another is published, kept when that one cannot be read."""

import os

import pytest
import structlog.testing

from namewarden.process.watcher import PolicyWatcher
from tests.policy.made import SECRET, snapshot_of


def publish(folder, name, text):
    made = snapshot_of(folder / name, {"l": text})
    link = folder / "new"
    link.symlink_to(made.path)
    os.replace(link, folder / "current")


@pytest.fixture
def taken():
    return []


@pytest.fixture
def watcher(tmp_path, taken):
    return PolicyWatcher(tmp_path / "current", SECRET, taken.append)


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
