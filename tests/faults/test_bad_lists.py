"""A list that is binary, empty, gone: the last good copy stays, and the reason is shown."""

import os

import pytest

from namewarden.hub.client import HubClient
from tests.product import data, product


@pytest.fixture
def running(tmp_path, world):
    (tmp_path / "list.txt").write_text("listed.example.net\n")
    more = f'[[lists]]\nname = "l"\nsource = "{tmp_path}/list.txt"\n'
    with product(tmp_path, world, more) as started:
        yield started


def reported(running):
    with HubClient(running.folder / "var" / "hub.sock") as hub:
        return next(entry["error"] for entry in hub.get("/lists")["lists"] if entry["name"] == "l")


@pytest.mark.parametrize("how", ["binary", "empty", "gone", "huge"])
def test_a_list_that_cannot_be_read_leaves_the_last_good_copy(running, how):
    listed = running.folder / "list.txt"
    assert data(running.ask("listed.example.net")) == ["0.0.0.0"]
    if how == "binary":
        listed.write_bytes(os.urandom(100_000))
    elif how == "empty":
        listed.write_bytes(b"")
    elif how == "huge":
        with listed.open("ab") as file:
            file.truncate(300 * 1024 * 1024)
    else:
        listed.unlink()
    running.until(lambda: bool(reported(running)), 30)
    running.wait_for("list 'l' .*; its last good copy stays in force")
    assert data(running.ask("listed.example.net")) == ["0.0.0.0"]
    listed.write_text("other.example.net\n")
    running.until(lambda: data(running.ask("other.example.net")) == ["0.0.0.0"], 30)
    assert not reported(running)
    running.wait_for("list 'l' can be read again")
    assert data(running.ask("listed.example.net")) == ["192.0.2.1"]


def test_a_list_that_never_was_there_is_said_at_the_start(tmp_path, world):
    more = f'[[lists]]\nname = "l"\nsource = "{tmp_path}/nowhere.txt"\n'
    with product(tmp_path, world, more) as started:
        started.wait_for("list 'l' cannot be read: No such file or directory; none of it is in")
        assert data(started.ask("listed.example.net")) == ["192.0.2.1"]
        health = started.command("healthcheck", *started.where)
        assert (health.returncode, health.stdout) == (0, "healthy\n")
        assert "degraded: list 'l' cannot be read: No such file or directory" in health.stderr
