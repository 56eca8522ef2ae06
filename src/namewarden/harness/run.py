"""All cases, some at a time and not faster than a rate; the results in the order of the file.

Counterparts: `asking.py` (one question), `report.py` and `show.py` (what becomes of the results).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from namewarden.harness.asking import Client, Target
from namewarden.harness.cases import Case
from namewarden.harness.expected import Found, Signs, action, difference


class Pace(Struct, frozen=True):
    concurrency: int = 16
    rate: float = 200.0  # questions a second; 0 = as fast as they are answered


class Result(Struct, frozen=True):
    """What became of one case."""

    case: Case
    found: Found
    action: str
    difference: str  # "" = as expected
    seconds: float
    tries: int


async def run(
    cases: Sequence[Case],
    target: Target,
    by: Signs,
    pace: Pace,
    told: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """`told` hears of each at once."""
    results: dict[int, Result] = {}
    turns = _Turns(pace.rate)
    waiting = iter(enumerate(cases))
    async with asyncio.TaskGroup() as group:
        for _ in range(min(pace.concurrency, len(cases))):
            group.create_task(_work(waiting, target, by, turns, _keep(results, told)))
    return [results[place] for place in range(len(cases))]


def _keep(
    results: dict[int, Result], told: Callable[[Result], None]
) -> Callable[[int, Result], None]:
    def keep(place: int, result: Result) -> None:
        results[place] = result
        told(result)

    return keep


async def _work(
    waiting: Iterator[tuple[int, Case]],
    target: Target,
    by: Signs,
    turns: "_Turns",
    keep: Callable[[int, Result], None],
) -> None:
    client = Client(target)
    try:
        for place, case in waiting:
            await turns.next()
            came = await client.ask(case)
            found = came.found
            other = difference(case.expected, found, by)
            keep(place, Result(case, found, action(found, by), other, came.seconds, came.tries))
    finally:
        await client.close()


class _Turns:
    """Gives turns at a rate."""

    def __init__(self, rate: float) -> None:
        self._every = 1 / rate if rate else 0.0
        self._next = 0.0

    async def next(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._every
        if turn > now:
            await asyncio.sleep(turn - now)
