"""Many cases: some at a time, not faster than the rate, results in the order of the file."""

import asyncio
import time

from namewarden.harness.asking import Target
from namewarden.harness.cases import read
from namewarden.harness.expected import BLOCKED, signs
from namewarden.harness.run import Pace, run

BY = signs(BLOCKED, [])


def results(path, target, pace, told=lambda result: None):
    return asyncio.run(run(read(path), target, BY, pace, told))


def test_results_keep_the_order_and_each_is_told_once(world, tmp_path):
    path, told = tmp_path / "names", []
    path.write_text("".join(f"n{number}.example.net,A,,allow\n" for number in range(200)))
    target = Target(world.host, world.port)
    found = results(path, target, Pace(50, 0), told.append)
    assert [each.case.line for each in found] == list(range(1, 201))
    assert sorted(told, key=lambda each: each.case.line) == found
    assert not any(each.difference for each in found)
    assert {each.action for each in found} == {"allow"}


def test_the_rate_is_kept(world, tmp_path):
    path = tmp_path / "names"
    path.write_text("a.example.net\n" * 31)
    begun = time.monotonic()
    results(path, Target(world.host, world.port), Pace(16, 100))
    assert 0.3 <= time.monotonic() - begun < 3


def test_silence_holds_up_only_its_own_place(world, tmp_path):
    path = tmp_path / "names"
    path.write_text("a.example.net,A,,TIMEOUT\n" * 8)
    with_nobody = Target("127.0.0.1", 9, timeout=0.05, tries=1)
    begun = time.monotonic()
    found = results(path, with_nobody, Pace(4, 0))
    assert not any(each.difference for each in found) and time.monotonic() - begun < 2
