"""What the settings say of lists and groups, as the hub publishes it."""

import asyncio
import threading
from pathlib import Path

import pytest

from namewarden.hub.jobs import Jobs
from namewarden.process.paths import prepare
from namewarden.process.publishing import (
    Publishing,
    group_specs,
    list_specs,
    write_guard_list,
)
from namewarden.settings import Settings
from tests.hub.made import until
from tests.hub.subscriptions.web import site


def settings(**more):
    return Settings.model_validate(more)


def test_a_group_takes_from_the_rest_what_it_does_not_say():
    kids = {"name": "kids", "clients": ["192.0.2.0/25"], "block": "nxdomain", "lists": []}
    default, group = group_specs(
        settings(
            groups=[kids], block={"ttl": 30, "redirect": ["192.0.2.66"]}, model={"mode": "shadow"}
        )
    )
    assert (default.name, default.block, default.mode) == ("default", "null", "shadow")
    assert (group.block, group.ttl, group.mode) == ("nxdomain", 30, "shadow")
    assert group.redirect == ("192.0.2.66",) and group.lists == () and default.lists is None


def test_a_group_named_default_is_the_default():
    (only,) = group_specs(settings(groups=[{"name": "default", "mode": "off"}]))
    assert (only.name, only.mode) == ("default", "off")


def test_list_files_are_found_from_anywhere():
    (made,) = list_specs(settings(lists=[{"name": "l", "source": "lists/l.txt", "kind": "allow"}]))
    assert Path(made.path).is_absolute() and made.path.endswith("lists/l.txt")
    assert (made.kind, made.format) == ("allow", "auto")


async def test_a_guard_list_that_cannot_be_written_says_what_that_means(tmp_path):
    jobs = Jobs(tmp_path / "jobs")
    jobs.start()
    said = await write_guard_list(jobs, tmp_path / "nowhere" / "guard.txt")
    assert said.startswith("the guard list could not be written: ")
    assert said.endswith("until it is, the model blocks nothing")
    assert await write_guard_list(jobs, tmp_path / "guard.txt") == ""


def test_of_a_list_by_url_the_copy_is_compiled(tmp_path):
    (made,) = list_specs(
        settings(data_dir=tmp_path, lists=[{"name": "l", "source": "https://lists.example.org/l"}])
    )
    assert made.path == str(tmp_path / "subscriptions" / "l.list")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"start": "fast"}, []),
        ({"wait": 0.3}, ["the first policy waits for slow: 0.3 s at most", "the first policy is made without slow"]),
        ({"wait": 30.0}, ["the first policy waits for slow: 30 s at most"]),
    ],
)  # fmt: skip
async def test_the_first_policy_waits_for_lists_as_long_as_it_may(tmp_path, start, words):
    """The server answers when it is told to: before the first policy where that waits for it."""
    go, said = threading.Event(), []

    def page(visit):
        go.wait(20)
        visit.send(b"bad.example.net\n")

    with site({"/slow": page}) as server:
        slow = {"name": "slow", "source": server.url("/slow"), "allow_private": True}
        wanted = settings(data_dir=tmp_path, subscriptions=start, lists=[slow])
        publishing = Publishing(wanted, prepare(tmp_path), said.append)
        (tmp_path / "lists" / "guard.txt").write_text("example.org\n")
        publishing.start()
        running = asyncio.ensure_future(publishing.run())
        first = publishing.publisher.first
        if start.get("wait") == 30.0:
            await until(lambda: said)
            assert not first.is_set()
            go.set()
        await asyncio.wait_for(first.wait(), 30)
        ruled = publishing.publisher.state.report[0]["rules"]
        assert (ruled, said) == (int(start.get("wait") == 30.0), words)
        go.set()
        await until(lambda: publishing.publisher.state.report[0]["rules"] == 1)
        assert said == words
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        publishing.stop()
