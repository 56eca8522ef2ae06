"""A query's handler without a task: stepped at once, then by each future that it waits for.

Most answers need no waiting, and a task costs more than they do. What is stepped here sees no current task, and the
context variables of whoever steps it: `asyncio.timeout`, `wait_for` and `current_task` are no use in it (the
architecture test forbids them). Futures, `loop.call_later` and `asyncio.sleep` are fine. Nothing is raised here: a
handler that ends without an answer is told in the log, and its query is answered with SERVFAIL.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import structlog

from namewarden.query import Answer
from namewarden.wire.errors import Rcode

FAILED = Answer(Rcode.SERVFAIL, status="FAILED")
GRACE, LOOK = 1.0, 0.001  # seconds
Done = Callable[[Answer], None]
Waiting = set["Suspended"]

log = structlog.get_logger("handler")


def run(awaitable: Awaitable[Answer] | Awaitable[None], done: Done, waiting: Waiting) -> bool:
    """Drive `awaitable`; call `done` with its answer, at once (True) or later, being in `waiting` until then."""
    steps = awaitable.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as stop:
        _finish(done, stop.value)
        return True
    except (Exception, asyncio.CancelledError) as error:
        _fail(done, error)
        return True
    Suspended(steps, done, waiting).wait_for(waits_for)
    return False


def start(coroutine: Coroutine[Any, Any, None], waiting: Waiting) -> None:
    """A coroutine nobody waits for, begun at once: its first request leaves before the loop turns."""
    run(coroutine, _nothing, waiting)


async def end(waiting: Waiting, grace: float = GRACE) -> None:
    """Give what still waits `grace` seconds to end by itself, then cancel it and give it as long to tidy up."""
    await _until_empty(waiting, grace)
    for suspended in list(waiting):
        suspended.cancel()
    await _until_empty(waiting, GRACE)


async def _until_empty(waiting: Waiting, seconds: float) -> None:
    for _ in range(round(seconds / LOOK)):
        if not waiting:
            return
        await asyncio.sleep(LOOK)


class Suspended:
    """A handler between two steps."""

    __slots__ = ("_done", "_is_cancelled", "_steps", "_waiting", "_waits_for")

    def __init__(self, steps: Generator[Any, Any, Any], done: Done, waiting: Waiting) -> None:
        self._steps = steps
        self._done = done
        self._waiting = waiting
        self._waits_for: asyncio.Future[Any] | None = None
        self._is_cancelled = False
        waiting.add(self)

    def wait_for(self, future: asyncio.Future[Any] | None) -> None:
        """Go on when the future is done; where nothing is awaited (`sleep(0)`), when the loop has turned."""
        self._waits_for = future
        if future is None:
            asyncio.get_running_loop().call_soon(self._step, None)
            return
        future._asyncio_future_blocking = False  # as a task does: it says that `await` was used
        future.add_done_callback(self._step)

    def cancel(self) -> None:
        """As `Task.cancel`: CancelledError is raised where the handler waits; it may outlive that."""
        if self._waits_for is None or not self._waits_for.cancel():
            self._is_cancelled = True

    def _step(self, _future: "asyncio.Future[Any] | None") -> None:
        try:
            if self._is_cancelled:
                self._is_cancelled = False
                waits_for = self._steps.throw(asyncio.CancelledError())
            else:
                waits_for = self._steps.send(None)
        except StopIteration as stop:
            self._waiting.discard(self)
            _finish(self._done, stop.value)
        except (Exception, asyncio.CancelledError) as error:
            self._waiting.discard(self)
            _fail(self._done, error)
        else:
            self.wait_for(waits_for)


def _finish(done: Done, answer: Answer) -> None:
    try:
        done(answer)
    except Exception as error:
        log.exception("fault after an answer", exc_info=error)


def _fail(done: Done, error: BaseException) -> None:
    if not isinstance(error, asyncio.CancelledError):
        log.exception("fault", exc_info=error)
    _finish(done, FAILED)


def _nothing(_: object) -> None:
    pass
