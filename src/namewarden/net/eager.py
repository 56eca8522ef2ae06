"""A query's first step without a task: most answers need no waiting, and a task costs more than they do.

What runs before the first suspension sees no current task, so it must not use `asyncio.timeout` and its kin;
futures and `loop.call_later` are fine.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

Value = TypeVar("Value")
Spawn = Callable[[Coroutine[Any, Any, None]], object]


def run(awaitable: Awaitable[Value], done: Callable[[Value], None], spawn: Spawn) -> bool:
    """Drive `awaitable`; call `done` with its value, at once or from a task. True when at once."""
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as stop:
        done(stop.value)
        return True
    spawn(_finish(steps, waits_for, done))
    return False


def start(coroutine: Coroutine[Any, Any, None], spawn: Spawn) -> None:
    """A coroutine nobody waits for, begun at once: its first request leaves before the loop turns."""
    run(coroutine, _nothing, spawn)


def _nothing(_: object) -> None:
    pass


async def _finish(
    steps: Generator[Any, Any, Value], waits_for: Any, done: Callable[[Value], None]
) -> None:
    done(await _resume(steps, waits_for))


@coroutine
def _resume(steps: Generator[Any, Any, Value], waits_for: Any) -> Generator[Any, Any, Value]:
    """Go on from the first suspension. What is thrown there (a cancellation) belongs to the steps."""
    while True:
        try:
            yield waits_for
        except BaseException as error:
            try:
                waits_for = steps.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
        else:
            return (yield from steps)
