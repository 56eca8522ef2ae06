"""A handler without a task: stepped at once and by what it waits for; it ends once, whatever happens."""

import asyncio

import pytest
import structlog.testing

from namewarden.net import eager


async def test_what_does_not_wait_is_done_at_once():
    async def immediate():
        return 5

    got, waiting = [], set()
    assert eager.run(immediate(), got.append, waiting) is True
    assert (got, waiting) == ([5], set())


async def test_what_waits_goes_on_when_its_future_is_done_and_without_a_task():
    gate = asyncio.get_running_loop().create_future()
    seen = []

    async def waiting_twice():
        first = await gate
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return first + 1

    got, waiting = [], set()
    assert eager.run(waiting_twice(), got.append, waiting) is False
    assert len(waiting) == 1
    gate.set_result(1)
    await eager.end(waiting)
    assert (got, seen) == ([2], [None])


async def test_a_cancellation_reaches_the_coroutine_and_may_be_outlived():
    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "tidied"

    got, waiting = [], set()
    eager.run(stubborn(), got.append, waiting)
    await asyncio.sleep(0)
    await eager.end(waiting, grace=0)
    assert got == ["tidied"]


@pytest.mark.parametrize("seconds", [0, 60])
async def test_what_is_cancelled_ends_without_an_answer_and_is_told_to_nobody(seconds):
    tidied = []

    async def waits():
        try:
            await asyncio.sleep(seconds)
            await asyncio.sleep(60)
        finally:
            tidied.append(True)

    got, waiting = [], set()
    with structlog.testing.capture_logs() as told:
        eager.run(waits(), got.append, waiting)
        await eager.end(waiting, grace=0)
    assert (got, tidied, told, waiting) == ([eager.FAILED], [True], [], set())


async def test_at_the_end_what_is_about_to_be_done_is_not_cancelled():
    gate = asyncio.get_running_loop().create_future()

    async def waits():
        return await gate

    got, waiting = [], set()
    eager.run(waits(), got.append, waiting)
    gate.set_result(3)
    await eager.end(waiting)
    assert got == [3]


async def test_an_error_of_the_future_is_raised_where_it_is_awaited():
    gate = asyncio.get_running_loop().create_future()

    async def careful():
        try:
            await gate
        except ValueError as error:
            return str(error)

    got, waiting = [], set()
    eager.run(careful(), got.append, waiting)
    gate.set_exception(ValueError("broken"))
    await eager.end(waiting)
    assert got == ["broken"]


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "later"])
async def test_a_handler_that_fails_is_told_and_its_query_answered(pause):
    async def broken():
        if pause:
            await asyncio.sleep(0)
        raise ZeroDivisionError

    got, waiting = [], set()
    with structlog.testing.capture_logs() as told:
        eager.run(broken(), got.append, waiting)
        await eager.end(waiting)
    assert [line["event"] for line in told] == ["fault"]
    assert got == [eager.FAILED] and eager.FAILED.rcode == 2


@pytest.mark.parametrize("pause", [False, True], ids=["at once", "later"])
async def test_an_error_in_what_runs_after_the_answer_is_told_and_ends_nothing(pause):
    async def fine():
        if pause:
            await asyncio.sleep(0)
        return 5

    def broken(_):
        raise ZeroDivisionError

    waiting = set()
    with structlog.testing.capture_logs() as told:
        eager.run(fine(), broken, waiting)
        await eager.end(waiting)
    assert [line["event"] for line in told] == ["fault after an answer"]
