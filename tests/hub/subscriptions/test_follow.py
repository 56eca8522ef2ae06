"""When lists are downloaded, and what becomes of the last good copy. The downloads are scripted here; real ones are in
`test_fetch.py`."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from namewarden.hub.subscriptions import store
from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.follow import (
    AGAIN,
    LATEST,
    OF_A_HOST,
    SOON,
    TOGETHER,
    Subscriptions,
)
from namewarden.hub.subscriptions.store import Fetched, Subscription
from tests.hub.made import Clock, until

DAY = 86_400.0


class Server:
    """What each list's server does at the moment: text, None for "unchanged", an error, an event to wait for."""

    def __init__(self):
        self.does = {}
        self.asked = []

    async def fetch(self, asked, part, told):
        self.asked.append(asked)
        does = self.does.get(asked.url.rpartition("/")[2], "bad.example.net\n")
        if isinstance(does, Exception):
            part.write_bytes(b"half a li")
            raise does
        if isinstance(does, asyncio.Event):
            await does.wait()
            does = "late.example.net\n"
        if does is None:
            return None
        part.write_bytes(does.encode())
        told(len(does), 0)
        return Fetched(f'"{does[:3]}"', "", does[:3], len(does))


class Parts:
    def __init__(self, folder, names=("malware",), dice=0.5):
        self.server, self.clock = Server(), Clock()
        self.folder, self.said, self.changes = folder, [], 0
        self.wanted = [Subscription(name, f"https://{name}.example.org/{name}") for name in names]
        self.lists = Subscriptions(
            folder,
            lambda: self.wanted,
            self.server.fetch,
            DAY,
            self._changed,
            self.said.append,
            self.clock,
            lambda: dice,
        )
        self.lists.start()

    def _changed(self):
        self.changes += 1

    def of(self, name="malware"):
        return self.lists.of(name)

    def text(self, name="malware"):
        return store.path_of(self.folder, name).read_text()


@asynccontextmanager
async def running(parts):
    task = asyncio.ensure_future(parts.lists.run())
    try:
        yield parts
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_there_is_no_copy_of_is_downloaded_at_once(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        assert parts.lists.missing == ["malware"] and "malware" in parts.lists
        await parts.lists.first(5.0)
        assert parts.text() == "bad.example.net\n" and parts.changes == 1
        each = parts.of()
        assert (each.outcome, each.error, each.came) == ("changed", "", 16)
        assert each.next == parts.clock.now + DAY and parts.lists.missing == []
        assert parts.said == []


@pytest.mark.parametrize(("dice", "pause"), [(0.0, 0.9 * DAY), (1.0, 1.1 * DAY)])
async def test_not_all_the_world_asks_at_once(tmp_path, dice, pause):
    async with running(Parts(tmp_path, dice=dice)) as parts:
        await parts.lists.first(5.0)
        assert parts.of().next == pytest.approx(parts.clock.now + pause)


async def test_asked_again_it_says_what_it_has_and_an_unchanged_list_is_no_change(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        await parts.lists.first(5.0)
        for does, outcome in ((None, "unchanged"), ("bad again", "unchanged"), ("new", "changed")):
            parts.server.does["malware"] = does
            (each,) = await parts.lists.refresh(["malware"], 5.0)
            assert (each.outcome, parts.server.asked[-1].etag) == (outcome, '"bad"')
        assert parts.text() == "new" and parts.changes == 2
    again = Parts(tmp_path)
    assert again.of().copy == each.copy and again.lists.missing == []


async def test_a_failure_keeps_the_copy_is_told_once_and_tried_again_with_growing_pauses(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        await parts.lists.first(5.0)
        parts.server.does["malware"] = DownloadError("the server says 500")
        for count in range(1, 5):
            await parts.lists.refresh(["malware"], 5.0)
            each = parts.of()
            assert each.failures == count
            assert each.next == parts.clock.now + AGAIN * 2 ** (count - 1)
        assert each.error == "cannot be downloaded: the server says 500"
        assert parts.text() == "bad.example.net\n" and parts.changes == 1
        assert sorted(p.name for p in tmp_path.iterdir()) == ["malware.json", "malware.list"]
        parts.server.does["malware"] = OSError(28, "No space left on device")
        await parts.lists.refresh(["malware"], 5.0)
        parts.server.does["malware"] = "good"
        await parts.lists.refresh(["malware"], 5.0)
        assert (each.outcome, each.failures, each.error) == ("changed", 0, "")
    assert parts.said == [
        "list 'malware' cannot be downloaded: the server says 500; its last good copy stays in force",
        "list 'malware' cannot be downloaded: [Errno 28] No space left on device; its last good copy stays in force",
        "list 'malware' can be downloaded again",
    ]


async def test_pauses_end_to_grow(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        parts.server.does["malware"] = DownloadError("no")
        await parts.lists.first(5.0)
        assert parts.of().next == parts.clock.now + SOON  # at a boot the network may come later
        for _ in range(13):
            await parts.lists.refresh(["malware"], 5.0)
        assert parts.of().next == parts.clock.now + LATEST
    assert parts.said == ["list 'malware' cannot be downloaded: no; none of it is in force"]


@pytest.mark.parametrize(
    ("after", "pause"), [(0.0, SOON), (3600.0, 3600.0 / 0.9), (30 * DAY, LATEST)]
)
async def test_a_server_that_wants_to_be_left_alone_is_within_reason(tmp_path, after, pause):
    async with running(Parts(tmp_path)) as parts:
        parts.server.does["malware"] = DownloadError("it says 429", after)
        await parts.lists.first(5.0)
        assert parts.of().next == parts.clock.now + pause
        parts.clock.now += pause - 1
        await parts.lists.refresh([], 0.0)  # it is looked at
        await asyncio.sleep(0.02)
        assert len(parts.server.asked) == 1


async def test_a_bug_at_one_list_ends_no_other(tmp_path):
    async with running(Parts(tmp_path, ["odd", "good"])) as parts:
        parts.server.does["odd"] = ZeroDivisionError("a bug")
        await parts.lists.first(5.0)
        assert parts.text("good") and "a fault here" in parts.of("odd").error


async def test_the_first_policy_waits_no_longer_than_it_may_nor_for_what_failed(tmp_path):
    async with running(Parts(tmp_path, ["slow", "failed", "good"])) as parts:
        parts.server.does = {"slow": asyncio.Event(), "failed": DownloadError("no")}
        await parts.lists.first(0.1)
        assert parts.lists.missing == ["slow"]
        parts.server.does["slow"].set()
        await parts.lists.first(5.0)
        assert parts.lists.missing == [] and parts.changes == 2


async def test_who_asks_while_it_runs_waits_for_that_one(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        parts.server.does["malware"] = asyncio.Event()
        (each,) = await parts.lists.refresh(["malware"], 0.05)
        assert each.is_running and each.is_asked
        asking = asyncio.ensure_future(parts.lists.refresh(["malware"], 5.0))
        await asyncio.sleep(0)
        parts.server.does["malware"].set()
        await asking
        assert not each.is_running and len(parts.server.asked) == 1


async def test_only_some_at_a_time_and_fewer_of_one_host(tmp_path):
    names = [f"list{number}" for number in range(10)]
    parts = Parts(tmp_path, names)
    wait = asyncio.Event()
    parts.server.does = dict.fromkeys(names, wait)
    async with running(parts):
        await asyncio.sleep(0.05)
        assert len(parts.server.asked) == TOGETHER
        wait.set()
        await parts.lists.first(5.0)
        assert len(parts.server.asked) == 10
    same = [Subscription(name, f"https://one.example.org/{name}") for name in names]
    wait.clear()
    parts.server.asked.clear()
    lists = Subscriptions(tmp_path, lambda: same, parts.server.fetch, DAY, lambda: None)
    lists.start()
    task = asyncio.ensure_future(lists.run())
    await asyncio.sleep(0.05)
    assert len(parts.server.asked) == OF_A_HOST
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_clock_that_was_set_back_stops_nothing(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        await parts.lists.first(5.0)
        parts.clock.now -= 400 * DAY
        parts.of().is_asked = False
        await parts.lists.refresh([], 0.0)  # it is looked at
        await until(lambda: len(parts.server.asked) == 2)
        assert parts.of().next == parts.clock.now + DAY


async def test_at_its_time_it_is_downloaded_by_itself(tmp_path):
    parts = Parts(tmp_path)
    parts.lists._every = 60.0
    async with running(parts):
        await parts.lists.first(5.0)
        parts.clock.now += 61.0
        await parts.lists.refresh([], 0.0)
        await until(lambda: len(parts.server.asked) == 2)


async def test_what_is_wanted_may_change(tmp_path):
    async with running(Parts(tmp_path, [])) as parts:
        await parts.lists.first(1.0)
        assert await parts.lists.refresh([], 1.0) == []
        parts.wanted = [Subscription("one", "https://one.example.org/one")]
        await asyncio.to_thread(parts.lists.look)
        await until(lambda: parts.of("one") and parts.of("one").copy)
        parts.server.does["other"] = None
        parts.wanted = [Subscription("one", "https://one.example.org/other")]
        parts.lists.look()
        await until(lambda: len(parts.server.asked) == 2)
        assert parts.server.asked[-1].etag == ""  # another URL says nothing about what is here
        parts.wanted = []
        parts.lists.look()
        await until(lambda: not list(tmp_path.iterdir()))
        assert parts.lists.all() == []


async def test_a_url_that_changes_while_it_runs_is_asked_next(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        parts.server.does["malware"] = wait = asyncio.Event()
        await until(lambda: parts.server.asked)
        parts.wanted = [Subscription("malware", "https://malware.example.org/new")]
        parts.lists.look()
        await until(lambda: parts.of().subscription == parts.wanted[0])
        assert len(parts.server.asked) == 1
        wait.set()
        await until(lambda: len(parts.server.asked) == 2 and not parts.of().is_running)
        assert parts.text() == "bad.example.net\n"
        assert [asked.url[-3:] for asked in parts.server.asked] == ["are", "new"]


async def test_what_comes_when_nobody_wants_it_any_more_is_not_kept(tmp_path):
    async with running(Parts(tmp_path)) as parts:
        parts.server.does["malware"] = wait = asyncio.Event()
        await until(lambda: parts.server.asked)
        parts.server.does["malware"] = "new.example.net\n"
        for wanted, count in (([], 0), (list(parts.wanted), 1)):  # taken away, and added again
            parts.wanted = wanted
            parts.lists.look()
            await until(lambda: len(parts.lists.all()) == count)  # noqa: B023
        await parts.lists.first(5.0)
        wait.set()
        await asyncio.sleep(0.05)
        assert parts.text() == "new.example.net\n" and parts.changes == 1
        assert sorted(p.name for p in tmp_path.iterdir()) == ["malware.json", "malware.list"]
