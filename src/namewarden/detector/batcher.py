"""Scores without holding up the loop, remembered. A quick scorer is asked where the name is: that takes less time than
what else a query costs, so nothing waits and nothing is late. For every other there is one worker thread, and names are
gathered while it works.

More names than can be scored before the deadline do not wait: they are turned away at once, fairly (`backlog.py`). A
name that nobody waits for any more is not scored. Nothing here raises or waits: what cannot be scored is counted, and
its query passes. The caller is `stages/verdict.py`.
"""

import asyncio
import threading
import time
from collections import OrderedDict, deque
from functools import partial
from queue import SimpleQueue

from msgspec import Struct

from namewarden.detector.backlog import Backlog, Client
from namewarden.detector.bands import Thresholds
from namewarden.detector.score import Scorer
from namewarden.query import Score

REMEMBERED = 16_384  # scores, 4 MB
Waiter = asyncio.Future[Score | None]


class ModelCounts(Struct):
    """What passed unscored, and why; `scored` for comparison."""

    scored: int = 0
    remembered: int = 0
    late: int = 0  # queries whose deadline passed
    full: int = 0  # names turned away: more waited than can be scored before the deadline
    broken: int = 0  # names that the model failed on


class Batcher:
    """`known` at once, else `ask`. Lives on one event loop."""

    def __init__(
        self, scorer: Scorer, deadline: float, queue: int = 4096, remembered: int = REMEMBERED
    ) -> None:
        self.counts = ModelCounts()
        self._scorer = scorer
        self._deadline = deadline
        self._most_remembered = remembered
        self._remembered: OrderedDict[str, Score] = OrderedDict()
        self._waiting: dict[str, list[Waiter]] = {}
        self._due: deque[tuple[float, str, Waiter]] = deque()  # by deadline
        self._backlog = Backlog(queue, deadline)
        self._lock = threading.Lock()  # of the backlog and of the two below
        self._working: set[str] = set()
        self._is_idle = False
        self._wake: SimpleQueue[bool] = SimpleQueue()  # False: end
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def thresholds(self) -> Thresholds:
        return self._scorer.thresholds

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        if not self._scorer.is_quick:
            self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the worker; who still waits is answered unscored."""
        for name in list(self._waiting):
            self._settle(name, None)
            with self._lock:
                self._backlog.remove(name)
        if self._thread:
            self._wake.put(False)
            self._thread.join(timeout=5)
            self._thread = None

    def replace(self, scorer: Scorer) -> None:
        """Another model from now on; what the old one said is forgotten, what it is working on is not remembered."""
        self._scorer = scorer
        self._remembered.clear()
        if self._loop is not None and self._thread is None and not scorer.is_quick:
            self._begin()

    def known(self, name: str) -> Score | None:
        """The score where nobody has to wait for it."""
        score = self._remembered.get(name)
        if score is not None:
            self._remembered.move_to_end(name)
            self.counts.remembered += 1
            return score
        return self._made(name) if self._scorer.is_quick else None

    def _made(self, name: str) -> Score | None:
        try:
            score = self._scorer.score(name)
        except Exception:
            return None  # `ask` counts it
        self.counts.scored += 1
        self._remember(name, score)
        return score

    def ask(self, name: str, client: Client = b"") -> Waiter | None:
        """A future for the score of a name that is not known, done when the deadline comes at the latest; to be
        cancelled when nobody waits. None when the name will not be scored."""
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self.counts.broken += 1
            return None
        now = time.monotonic()
        waiter: Waiter = self._loop.create_future()
        waiter.add_done_callback(partial(self._left, name))
        waiting = self._waiting.setdefault(name, [])
        waiting.append(waiter)
        self._await(name, client, now, is_new=len(waiting) == 1)
        if not self._due:
            self._loop.call_later(self._deadline, self._sweep)
        self._due.append((now + self._deadline, name, waiter))
        return waiter

    def _left(self, name: str, waiter: Waiter) -> None:
        """Who waited was given up: what then nobody waits for is not scored."""
        if waiter.cancelled():
            self._drop(name)

    def _drop(self, name: str) -> None:
        if all(waiter.done() for waiter in self._waiting.get(name, ())):
            self._waiting.pop(name, None)
            with self._lock:
                self._backlog.remove(name)

    def _await(self, name: str, client: Client, now: float, is_new: bool) -> None:
        with self._lock:
            if not is_new and name in self._working:
                return
            turned_away = self._backlog.add(name, client, now)
            was_idle, self._is_idle = self._is_idle, False
        for other in turned_away:
            self.counts.full += 1
            self._settle(other, None)
        if was_idle:
            self._wake.put(True)

    def _sweep(self) -> None:
        """One timer for all: who came first is late first."""
        assert self._loop is not None
        now = time.monotonic()
        while self._due and (self._due[0][2].done() or self._due[0][0] <= now):
            _, name, waiter = self._due.popleft()
            if not waiter.done():
                self.counts.late += 1
                waiter.set_result(None)
                self._drop(name)
        if self._due:
            self._loop.call_later(self._due[0][0] - now, self._sweep)

    def _work(self) -> None:
        """The worker thread: what is waiting is one batch."""
        while True:
            began = time.monotonic()
            with self._lock:
                names = self._backlog.take(began)
                self._working, self._is_idle = set(names), not names
            if names:
                self._score(names)
                with self._lock:
                    self._backlog.took(len(names), time.monotonic() - began)
            elif not self._wake.get():
                return

    def _score(self, names: list[str]) -> None:
        assert self._loop is not None
        scorer = self._scorer
        scores = _scores(scorer, names)
        try:
            self._loop.call_soon_threadsafe(self._deliver, scorer, names, scores)
        except RuntimeError:  # the loop has ended: nobody waits
            return

    def _deliver(self, scorer: Scorer, names: list[str], scores: list[Score] | None) -> None:
        if scores is None:
            self.counts.broken += len(names)
            for name in names:
                self._settle(name, None)
            return
        self.counts.scored += len(names)
        for name, score in zip(names, scores, strict=True):
            if scorer is self._scorer:
                self._remember(name, score)
            self._settle(name, score)

    def _remember(self, name: str, score: Score) -> None:
        self._remembered[name] = score
        if len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)

    def _settle(self, name: str, score: Score | None) -> None:
        for waiter in self._waiting.pop(name, ()):
            if not waiter.done():
                waiter.set_result(score)


def _scores(scorer: Scorer, names: list[str]) -> list[Score] | None:
    """One a name, or None. Whatever the scorer raises, the thread lives on, and who waits is answered."""
    try:
        scores = scorer.score_batch(names)
        return scores if len(scores) == len(names) else None
    except Exception:
        return None
