"""Deadlines come when they are due, in order, by one timer; none early, none more than a step and a turn late."""

import asyncio

import structlog

from namewarden.net.deadlines import STEP, Deadlines


async def test_each_comes_when_it_is_due_and_in_order():
    loop = asyncio.get_running_loop()
    came: list[tuple[float, float]] = []
    deadlines = Deadlines(loop, lambda wanted: came.append((wanted, loop.time())))
    for seconds in (0.15, 0.05, 0.1, 0.0, 0.05, 0.101):
        deadlines.add(loop.time() + seconds, seconds)
    await asyncio.sleep(0.4)
    assert len(came) == 6
    assert [wanted for wanted, _ in came] == sorted(wanted for wanted, _ in came)
    assert all(-0.002 < at - wanted for wanted, at in came)
    assert sum(at - wanted for wanted, at in came) / 6 < 0.1 + STEP  # a busy machine is late too


async def test_what_is_due_may_be_put_off_and_what_is_stopped_never_comes():
    loop = asyncio.get_running_loop()
    came: list[str] = []

    def due(item: str) -> None:
        came.append(item)
        if len(came) == 1:
            deadlines.add(item, 0.0)

    deadlines = Deadlines(loop, due)
    deadlines.add("again", 0.01)
    await asyncio.sleep(0.15)
    assert came == ["again", "again"]
    deadlines.add("never", 0.01)
    deadlines.stop()
    await asyncio.sleep(0.1)
    assert len(came) == 2


async def test_one_that_fails_costs_neither_the_others_nor_those_after_them():
    came: list[int] = []

    def due(item: int) -> None:
        came.append(item)
        if item % 2:
            raise RuntimeError("a bug")

    deadlines = Deadlines(asyncio.get_running_loop(), due)
    with structlog.testing.capture_logs() as logged:
        for item in (1, 2, 3):
            deadlines.add(item, 0.0)
        deadlines.add(4, 0.05)
        await asyncio.sleep(0.15)
    assert came == [1, 2, 3, 4]
    assert deadlines.faults == len(logged) == 2
