"""A coroutine's first step without a task."""

import asyncio

from namewarden.net import eager


def spawner(tasks):
    return lambda coroutine: tasks.append(asyncio.ensure_future(coroutine))


async def test_what_does_not_wait_is_done_at_once_and_without_a_task():
    async def immediate():
        return 5

    got, tasks = [], []
    assert eager.run(immediate(), got.append, spawner(tasks)) is True
    assert (got, tasks) == ([5], [])


async def test_what_waits_goes_on_in_a_task():
    gate = asyncio.get_running_loop().create_future()

    async def waiting():
        first = await gate
        await asyncio.sleep(0)
        return first + 1

    got, tasks = [], []
    assert eager.run(waiting(), got.append, spawner(tasks)) is False
    gate.set_result(1)
    await asyncio.gather(*tasks)
    assert got == [2]


async def test_a_cancellation_reaches_the_coroutine_and_may_be_outlived():
    async def stubborn():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            return "tidied"

    got, tasks = [], []
    eager.run(stubborn(), got.append, spawner(tasks))
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks)
    assert got == ["tidied"]


async def test_an_error_of_the_future_is_raised_where_it_is_awaited():
    gate = asyncio.get_running_loop().create_future()

    async def careful():
        try:
            await gate
        except ValueError as error:
            return str(error)

    got, tasks = [], []
    eager.run(careful(), got.append, spawner(tasks))
    gate.set_exception(ValueError("broken"))
    await asyncio.gather(*tasks)
    assert got == ["broken"]
