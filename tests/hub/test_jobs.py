"""A job says how far it is, keeps to its bounds, and its end is told whatever it was. Real processes."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from namewarden.hub import jobs as module
from namewarden.hub.jobs import Job, Jobs, Record
from tests.hub.made import until

COUNTS = """
import json, sys, time
for n in (1, 2, 3):
    print(json.dumps({"progress": {"epoch": n, "of": 3}}), flush=True)
print("a library says hello")
print(json.dumps({"accuracy": 0.5, "nice": __import__("os").nice(0)}))
"""
WAITS = (
    "import sys, time; sys.stdout.write('{\"progress\": 1}\\n'); sys.stdout.flush(); time.sleep(60)"
)


def job(text: str, **more: Any) -> Job:
    return Job("trial", ("-c", text), **more)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    made = Jobs(tmp_path / "jobs")
    made.start()
    return made


async def test_a_job_counts_to_three(jobs: Jobs, tmp_path: Path) -> None:
    told: list[Any] = []
    ended = await jobs.run(job(COUNTS, nice=3), told.append)
    assert (ended.state, ended.problem) == ("done", "")
    assert ended.result == {"accuracy": 0.5, "nice": os.nice(0) + 3}
    assert [said["epoch"] for said in told] == [1, 2, 3]
    assert ended.progress == {"epoch": 3, "of": 3} and ended.ended >= ended.began
    (kept,) = jobs.records()
    assert kept == ended
    kept_there = json.loads((tmp_path / "jobs" / ended.id / "job.json").read_text())
    assert kept_there["state"] == "done"


async def test_a_job_runs_where_nobody_else_wants_to(jobs: Jobs) -> None:
    text = "import os, sys, time\nend = time.monotonic() + 5\n"
    text += "while os.sched_getscheduler(0) != os.SCHED_IDLE and time.monotonic() < end: pass\n"
    ended = await jobs.run(job(text + "print(os.sched_getscheduler(0))", is_idle=True))
    assert (ended.state, ended.result) == ("done", os.SCHED_IDLE)


GIVES_WAY = """
import asyncio, os, sys
from pathlib import Path
from namewarden.hub.jobs import Job, Jobs

os.nice(10)
jobs = Jobs(Path(sys.argv[1]))
jobs.start()
ended = asyncio.run(jobs.run(Job("nice", ("-c", "import os; print(os.nice(0))"), nice=5)))
sys.exit(ended.problem or ended.result != os.nice(0))
"""


def test_a_job_never_has_more_priority_than_its_hub(tmp_path: Path) -> None:
    """Who is not root may not give it back: then nothing was ever compiled."""
    command = [sys.executable, "-c", GIVES_WAY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


async def begun(jobs: Jobs, job: Job) -> tuple[asyncio.Task[Record], str]:
    """Running, and far enough that it said something."""
    told = asyncio.Event()
    task = asyncio.ensure_future(jobs.run(job, lambda said: told.set()))
    await asyncio.wait_for(told.wait(), 20)
    (record,) = jobs.records()
    assert (record.state, record.progress) == ("running", 1)
    return task, record.id


async def test_a_job_is_cancelled(jobs: Jobs) -> None:
    task, id = await begun(jobs, job(WAITS))
    assert jobs.cancel(id)
    ended = await asyncio.wait_for(task, 20)
    assert (ended.state, ended.problem) == ("cancelled", "cancelled")
    assert not jobs.cancel(id)


async def test_who_waits_is_cancelled_and_the_job_ends(jobs: Jobs) -> None:
    task, _ = await begun(jobs, job(WAITS))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert jobs.records()[0].state == "cancelled"


async def test_a_job_that_will_not_end_is_killed_with_all_that_it_started(
    jobs: Jobs, tmp_path: Path
) -> None:
    text = (
        "import subprocess, sys, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([{sys.executable!r}, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('{\"progress\": 1}', flush=True)\n"
        "time.sleep(60)\n"
    )
    task, id = await begun(jobs, job(text))
    assert jobs.cancel(id)
    assert (await asyncio.wait_for(task, module.GRACE + 10)).state == "cancelled"
    there = Path("/proc") / (tmp_path / "pid").read_text()
    await until(lambda: not there.exists() or " Z " in (there / "stat").read_text())


async def test_a_job_that_takes_too_long_is_ended(jobs: Jobs) -> None:
    ended = await jobs.run(job(WAITS, seconds=1.0))
    assert (ended.state, ended.problem) == ("timed out", "not done within 1 s")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a child's memory")
@pytest.mark.parametrize(
    "text",
    [
        "x = bytearray(1 << 30)",
        "import numpy; numpy.ones(1 << 27)",
        "import mmap; mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE)",
    ],
)
async def test_a_job_that_needs_too_much_memory_says_so(jobs: Jobs, text: str) -> None:
    text = "import time; time.sleep(0.3)\n" + text  # the bound is set a moment after the begin
    ended = await jobs.run(job(text, memory=400 << 20))
    assert ended.state == "out of memory", ended
    assert "400 MiB" in ended.problem


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a child's memory")
async def test_a_file_that_is_mapped_is_not_memory(jobs: Jobs, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    text = (
        "import mmap, time; time.sleep(0.3)\n"
        f"f = open({str(tmp_path / 'large')!r}, 'rb'); m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)\n"
        "print(len(m))"
    )
    ended = await jobs.run(job(text, memory=200 << 20))
    assert (ended.state, ended.result) == ("done", 1 << 30)


async def test_a_job_that_fails_says_why(jobs: Jobs, tmp_path: Path) -> None:
    ended = await jobs.run(job("print(1); raise ValueError('no such family')"))
    assert (ended.state, ended.problem) == ("failed", "ValueError: no such family")
    errors = (tmp_path / "jobs" / ended.id / "errors.txt").read_text()
    assert errors.startswith("Traceback")
    assert (await jobs.run(job("raise SystemExit(3)"))).problem == "ended with 3"


async def test_a_job_that_cannot_begin_is_no_success(jobs: Jobs) -> None:
    with pytest.raises(OSError):
        await jobs.run(job("x" * (1 << 21)))  # longer than an argument may be
    (record,) = jobs.records()
    assert record.state == "failed" and "too long" in record.problem


async def test_a_job_that_is_killed_says_by_what(jobs: Jobs) -> None:
    ended = await jobs.run(job("import os; os.kill(os.getpid(), 9)"))
    assert ended.state == "killed" and "SIGKILL" in ended.problem
    ended = await jobs.run(job(f"import os; os.kill(os.getpid(), {signal.SIGSEGV:d})"))
    assert ended.state == "killed" and "SIGSEGV" in ended.problem


async def test_what_a_job_says_is_bounded(jobs: Jobs, tmp_path: Path) -> None:
    text = (
        "import sys\n"
        f"sys.stdout.write('x' * {module.LINE * 2} + '\\n')\n"
        "for n in range(30000): sys.stderr.write('noise %d\\n' % n)\n"
        "print(7)"
    )
    ended = await jobs.run(job(text))
    assert (ended.state, ended.result) == ("done", 7)
    assert (tmp_path / "jobs" / ended.id / "errors.txt").stat().st_size <= module.ERRORS


async def test_only_the_last_jobs_are_kept(jobs: Jobs, tmp_path: Path) -> None:
    for number in range(module.KEPT + 3):
        folder = tmp_path / "jobs" / f"{number:014d}-aaaaaa"
        folder.mkdir()
        record = {
            "id": folder.name, "name": "trial", "command": [], "state": "done", "began": 1.0
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(record))
    ended = await jobs.run(job("pass"))
    records = jobs.records()
    assert len(records) == module.KEPT and records[0] == ended


async def test_a_job_of_a_hub_that_was_killed_is_lost(jobs: Jobs, tmp_path: Path) -> None:
    task, id = await begun(jobs, job(WAITS))
    after = Jobs(tmp_path / "jobs")
    after.start()
    (record,) = after.records()
    assert (record.state, record.problem) == ("lost", "the hub ended while it ran")
    jobs.cancel(id)
    await task


async def test_an_end_that_cannot_be_written_is_logged_and_who_is_cancelled_stays_so(
    jobs: Jobs, tmp_path: Path
) -> None:
    task, id = await begun(jobs, job(WAITS))
    shutil.rmtree(tmp_path / "jobs" / id)
    task.cancel()
    with structlog.testing.capture_logs() as logged, pytest.raises(asyncio.CancelledError):
        await task
    assert [each["job"] for each in logged] == [id]
