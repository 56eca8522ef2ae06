"""What people change is soon in force, what is broken never is; with the real compiler as a child."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from namewarden.hub import routes_policy
from namewarden.hub.publish import Publisher
from namewarden.hub.services import Services
from namewarden.policy.spec import ListSpec
from tests.hub.made import Clock, services, until


def listed(folder: Path, text: str = "bad.example.net\n") -> ListSpec:
    path = folder / "malware.txt"
    path.write_text(text)
    return ListSpec("malware", str(path))


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncIterator[None]:
    task = asyncio.ensure_future(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_lists_and_groups_become_a_snapshot(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        group(parts, "a")
        assert await parts.publisher.publish()
        current = parts.publisher.current
        assert os.readlink(current) == "policy-1.snap"
        assert not parts.publisher.is_pending
        assert parts.publisher.state.report[0]["rules"] == 1
        group(parts, "b")
        assert parts.publisher.is_pending
        assert await parts.publisher.publish()
        assert os.readlink(current) == "policy-2.snap"


def group(parts: Services, name: str, expires: float = 0.0) -> None:
    parts.control.put("group", name, {"clients": []}, None, expires)


async def test_a_decision_is_in_force_and_the_snapshot_stays(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert await parts.publisher.publish()
        before = [(path.name, path.stat()) for path in sorted((tmp_path / "snapshots").glob("p*"))]
        decide(parts, "a.example.org.", "malicious")
        assert parts.publisher.is_pending
        assert parts.publisher.overlay.publish()
        assert not parts.publisher.is_pending
        assert await parts.publisher.publish()
        after = [(path.name, path.stat()) for path in sorted((tmp_path / "snapshots").glob("p*"))]
        assert after == before and parts.publisher.state.generation == 1


def decide(parts: Services, name: str, verdict: str, expires: float = 0.0) -> None:
    body = {"name": name, "verdict": verdict, "match": "exact", "groups": [], "reason": ""}
    parts.control.put("decision", name, body, None, expires)


async def test_what_is_the_same_is_not_compiled_again_not_even_after_a_restart(
    tmp_path: Path,
) -> None:
    for _ in range(2):
        async with services(
            tmp_path,
            lists=[listed(tmp_path)]
            if not (tmp_path / "malware.txt").exists()
            else [ListSpec("malware", str(tmp_path / "malware.txt"))],
        ) as parts:
            assert await parts.publisher.publish()
            assert parts.publisher.state.generation == 1
            assert parts.publisher.state.report[0]["name"] == "malware"


async def test_a_file_that_is_written_again_as_it_was_is_not_compiled(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert await parts.publisher.publish()
        (tmp_path / "malware.txt").unlink()
        listed(tmp_path)
        assert await parts.publisher.publish()
        assert parts.publisher.state.generation == 1


async def test_the_running_publisher_follows_control_data_files_and_time(tmp_path: Path) -> None:
    clock = Clock()
    async with services(tmp_path, clock, [listed(tmp_path)]) as parts, running(parts.publisher):
        state = lambda: parts.publisher.state  # noqa: E731
        await until(lambda: state().generation == 1)
        group(parts, "a", clock.now + 60)
        await until(lambda: state().generation == 2)
        clock.now += 61
        await until(lambda: state().generation == 3)
        decide(parts, "a.example.org.", "benign")
        await until(lambda: [r.name for r in parts.publisher.overlay.rules()] == ["a.example.org."])
        await until(lambda: not parts.publisher.is_pending)
        listed(tmp_path, "bad.example.net\nworse.example.net\n")
        await until(lambda: state().generation == 4)
        assert state().report[0]["rules"] == 2


async def test_a_list_that_is_gone_keeps_its_last_good_copy_and_says_so(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert await parts.publisher.publish()
        (tmp_path / "malware.txt").unlink()
        assert await parts.publisher.publish()
        report = parts.publisher.state.report[0]
        assert (report["rules"], report["stale"]) == (1, True)
        assert "No such file" in report["error"]


async def test_a_compiler_that_fails_leaves_what_is_in_force(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert await parts.publisher.publish()
        good = os.readlink(parts.publisher.current)
        (tmp_path / "secret").write_bytes(b"short")
        group(parts, "a")
        assert not await parts.publisher.publish()
        assert parts.publisher.problem
        assert os.readlink(parts.publisher.current) == good
        assert (tmp_path / "snapshots" / good).exists()


@pytest.mark.parametrize("secret", [b"", b"short"], ids=["compiled", "failed"])
async def test_that_there_is_a_first_policy_is_told_or_that_there_is_none(
    tmp_path: Path, secret: bytes
) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert not parts.publisher.first.is_set()
        if secret:
            (tmp_path / "secret").write_bytes(secret)
        assert await parts.publisher.publish() == (not secret)
        assert parts.publisher.first.is_set()


async def test_a_policy_of_an_earlier_run_is_the_first(tmp_path: Path) -> None:
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots" / "current").symlink_to(__file__)
    async with services(tmp_path) as parts:
        assert parts.publisher.first.is_set()


async def test_only_the_last_snapshots_are_kept(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        for n in range(5):
            group(parts, f"n{n}")
            assert await parts.publisher.publish()
        names = sorted(path.name for path in (tmp_path / "snapshots").glob("*.snap"))
        assert names == ["policy-3.snap", "policy-4.snap", "policy-5.snap"]


async def test_a_state_that_cannot_be_read_is_made_anew(tmp_path: Path) -> None:
    async with services(tmp_path, lists=[listed(tmp_path)]) as parts:
        assert await parts.publisher.publish()
    (tmp_path / "snapshots" / "state.json").write_text(json.dumps({"generation": "x"}))
    async with services(
        tmp_path, lists=[ListSpec("malware", str(tmp_path / "malware.txt"))]
    ) as parts:
        assert parts.publisher.state.generation == 1
        assert await parts.publisher.publish()
        assert parts.publisher.state.generation == 2


async def test_an_address_that_is_refused_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    lists = [listed(tmp_path, "10.0.0.1\n192.0.2.7\n")]
    async with services(tmp_path, lists=lists) as parts:
        parts.publisher._notify = told.append
        async with running(parts.publisher):
            await until(lambda: bool(told))
    assert "1 line refused: line 1 holds private or special addresses" in told[0]


async def test_a_line_that_would_block_the_world_is_refused_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    lists = [listed(tmp_path, "# mine\n||com^\nbad.example.net\n")]
    async with services(tmp_path, lists=lists) as parts:
        parts.publisher._notify = told.append
        async with running(parts.publisher):
            await until(lambda: bool(told))
        report = parts.publisher.state.report[0]
        assert (report["rules"], report["skipped"]) == (1, {"broad": 1, "comment": 1})
        assert "1 line refused: line 2 alone reaches" in told[0] and "broad = true" in told[0]
        shown = routes_policy.lists(parts)["lists"][0]
        assert (shown["skipped_lines"], shown["refused"][0]["line"], shown["broad"]) == (
            1,
            2,
            False,
        )


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_copy_that_is_no_list_is_told_and_one_that_is_missing_by_who_downloads_it(
    tmp_path: Path, is_there: bool
) -> None:
    said: list[str] = []
    copy = listed(tmp_path, '{"error": "too many requests"}\n')
    if not is_there:
        (tmp_path / "malware.txt").unlink()
    async with services(tmp_path, lists=[copy]) as parts:
        parts.publisher._notify = said.append
        parts.publisher.subscribed = {"malware"}
        async with running(parts.publisher):
            await until(lambda: parts.publisher.state.generation == 1)
            await until(lambda: not parts.publisher.is_pending)
    words = "list 'malware' has no line that is a rule; none of it is in force"
    assert said == parts.publisher.list_problems == [words] * is_there
