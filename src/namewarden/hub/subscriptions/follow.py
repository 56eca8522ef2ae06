"""When each list by URL is downloaded: once a day, at a start, when somebody asks, and again sooner after a failure.

What came takes the place of the last good copy only when it is a list. Counterparts: `fetch.py`, given as a callable,
and `publish.py`, which compiles the copies.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import structlog
from msgspec import Struct

from namewarden.hub.subscriptions import store
from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.store import Asked, Copy, Fetched, Subscription

log = structlog.get_logger("subscriptions")
TOGETHER, OF_A_HOST = 4, 2  # downloads at a time
AGAIN = 60.0  # seconds until a failed one is tried again: twice as long each time
LATEST = 6 * 3600.0  # at most
LOOK = 60.0  # seconds between looks at what is wanted where nobody tells: what has an end has ended
SOON = 10.0  # the first pause where there is no copy: at a boot the network may come later
JITTER = 0.1  # of every pause, so that not all the world asks at once
Fetch = Callable[[Asked, Path, Callable[[int, int], None]], Awaitable[Fetched | None]]
Outcome = Literal["", "changed", "unchanged", "failed"]


class Following(Struct, eq=False):
    """One list, and how it goes."""

    subscription: Subscription
    copy: Copy | None
    next: float = 0.0  # epoch seconds
    pause: float = 0.0  # seconds until then, when that was said
    tried: float = 0.0
    outcome: Outcome = ""  # of the last try
    error: str = ""  # why that failed
    failures: int = 0  # in a row
    is_running: bool = False
    is_asked: bool = False  # somebody wants it now
    came: int = 0  # octets of the download that runs, or ran last
    total: int = 0  # of these, as the server says; 0 = it does not


class Subscriptions:
    """`start()`, then `run()` until cancelled; `refresh` at any time on that loop."""

    def __init__(
        self,
        folder: Path,
        wanted: Callable[[], Sequence[Subscription]],
        fetch: Fetch,
        every: float,
        changed: Callable[[], None],
        notify: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._folder = folder
        self._wanted = wanted
        self._fetch = fetch
        self._every = every
        self._changed = changed
        self._notify = notify
        self._clock = clock
        self._dice = dice
        self._lists: dict[str, Following] = {}
        self._loop: asyncio.AbstractEventLoop | None = None  # while it runs
        self._settled = asyncio.Condition()
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(TOGETHER)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    def start(self) -> None:
        """Know what is on the disk; each server is asked whether it has something newer. OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        store.tidy(self._folder, [each.name for each in self._wanted()])
        self._take()

    def look(self) -> None:
        """Others may be wanted now. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    def _take(self) -> None:
        """What is wanted now: of another URL the copy stays until that gives one."""
        wanted = {each.name: each for each in self._wanted()}
        for name in self._lists.keys() - wanted.keys():
            del self._lists[name]
            store.forget(self._folder, name)
        for name, each in wanted.items():
            known = self._lists.get(name)
            if known is None:
                self._lists[name] = Following(each, store.read(self._folder, name))
            elif known.subscription != each:
                known.subscription, known.next = each, 0.0

    def __contains__(self, name: object) -> bool:
        return name in self._lists

    def path_of(self, name: str) -> Path:
        """Where the copy of a list lies, or will lie."""
        return store.path_of(self._folder, name).absolute()

    def of(self, name: str) -> Following | None:
        """How a list goes, to look at."""
        return self._lists.get(name)

    def all(self) -> list[Following]:
        return list(self._lists.values())

    @property
    def missing(self) -> list[str]:
        """Lists of which there is no copy and that were not tried yet."""
        return [name for name, each in self._lists.items() if not each.copy and not each.tried]

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                self._take()
                for each in self._due():
                    each.is_running = True
                    group.create_task(self._try(each))
                await self._until_next()

    def _due(self) -> list[Following]:
        """Also what a clock that was set back would let wait for longer than any pause."""
        now = self._clock()
        return [
            each
            for each in self._lists.values()
            if not each.is_running and (each.is_asked or not now < each.next <= now + each.pause)
        ]

    async def _until_next(self) -> None:
        waiting = [each.next for each in self._lists.values() if not each.is_running]
        pause = max(min(waiting) - self._clock(), 0.0) if waiting else LOOK
        try:
            async with asyncio.timeout(min(pause, LOOK)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def refresh(self, names: Iterable[str], seconds: float) -> list[Following]:
        """Ask the servers of these lists now; until all have answered, or `seconds` have passed."""
        asked = [self._lists[name] for name in names]
        for each in asked:
            each.is_asked = True
        self._wake.set()
        await self._until(lambda: not any(each.is_asked for each in asked), seconds)
        return asked

    async def first(self, seconds: float) -> None:
        """Until every list has a copy, or is known to have none now; at most so long."""
        await self._until(lambda: not self.missing, seconds)

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._settled:
                await self._settled.wait_for(holds)
        except TimeoutError:
            pass

    async def _try(self, each: Following) -> None:
        each.came = each.total = 0
        was_failing, wanted, after = each.failures > 0, each.subscription, 0.0
        host = self._hosts.setdefault(_host(wanted), asyncio.Semaphore(OF_A_HOST))
        try:
            async with host, self._slots:
                each.outcome = await self._download(each, wanted)
            each.error, each.failures = "", 0
            if was_failing:
                self._notify(f"list {wanted.name!r} can be downloaded again")
        except (DownloadError, OSError) as problem:
            self._failed(each, problem)
            after = problem.after if isinstance(problem, DownloadError) else 0.0
        except Exception:  # a bug met at one list must not end the hub
            log.exception("download", list=wanted.name)
            self._failed(each, DownloadError("a fault here, which the log has"))
        each.tried, each.is_running, each.is_asked = self._clock(), False, False
        each.pause = self._pause(each, after) * (1 + JITTER * (2 * self._dice() - 1))
        each.next = each.tried + each.pause if each.subscription == wanted else 0.0
        self._wake.set()
        if each.outcome == "changed":
            self._changed()
        async with self._settled:
            self._settled.notify_all()

    async def _download(self, each: Following, wanted: Subscription) -> Outcome:
        """What came is kept. DownloadError, OSError."""

        def told(came: int, total: int) -> None:
            each.came, each.total = came, total

        asked = store.asked(wanted, each.copy)
        part = store.part_of(self._folder, wanted.name)
        try:
            found = await self._fetch(asked, part, told)
            if self._lists.get(wanted.name) is not each:
                return "unchanged"  # nobody wants it any more
            known = each.copy or Copy()
            if found is None:
                is_new, found = False, Fetched(known.etag, known.modified, known.digest, known.size)
            else:
                is_new = found.digest != asked.digest
            copy = Copy(
                store.source_of(wanted), self._clock(), found.etag, found.modified, found.digest,
                found.size if is_new else known.size,
            )  # fmt: skip
            each.copy = await asyncio.to_thread(
                store.keep, self._folder, wanted.name, copy, part if is_new else None
            )
        finally:
            part.unlink(missing_ok=True)
        return "changed" if is_new else "unchanged"

    def _failed(self, each: Following, problem: Exception) -> None:
        each.outcome = "failed"
        said = f"cannot be downloaded: {problem}"
        if each.failures == 0 or each.error != said:
            kept = "its last good copy stays" if each.copy else "none of it is"
            self._notify(f"list {each.subscription.name!r} {said}; {kept} in force")
        each.error = said
        each.failures += 1

    def _pause(self, each: Following, after: float) -> float:
        """Not before the server wants it, within reason."""
        if not each.failures:
            return self._every
        first = AGAIN if each.copy else SOON
        ours = min(first * 2.0 ** min(each.failures - 1, 30), self._every)
        return min(max(ours, after / (1 - JITTER)), LATEST)


def _host(subscription: Subscription) -> str:
    return urlsplit(subscription.url).hostname or ""
