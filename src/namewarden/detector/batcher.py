"""Scores without holding up the loop: one worker thread, names gathered while it works, results remembered.

The caller (`stages/verdict.py`) sets the deadline and reads `None` as "not scored". Nothing here raises or waits:
what cannot be scored is counted, and its query passes.
"""

import asyncio
import threading
from collections import OrderedDict
from queue import Empty, SimpleQueue

from msgspec import Struct

from namewarden.detector.bands import Thresholds
from namewarden.detector.score import Scorer
from namewarden.query import Score

BATCH = 64  # more at once is no faster, and the first would wait for the last
Waiter = asyncio.Future[Score | None]


class ModelCounts(Struct):
    """What passed unscored, and why; `scored` for comparison."""

    scored: int = 0
    remembered: int = 0
    late: int = 0  # the deadline passed
    full: int = 0  # too many names were waiting
    broken: int = 0  # the model failed


class Batcher:
    """`known` at once, else `ask`. Lives on one event loop."""

    def __init__(self, scorer: Scorer, queue: int = 4096, remembered: int = 50_000) -> None:
        self.counts = ModelCounts()
        self._scorer = scorer
        self._most_waiting = queue
        self._most_remembered = remembered
        self._remembered: OrderedDict[str, Score] = OrderedDict()
        self._waiting: dict[str, list[Waiter]] = {}
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def thresholds(self) -> Thresholds:
        return self._scorer.thresholds

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the worker; who still waits is answered unscored."""
        if self._thread:
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None
        for name in list(self._waiting):
            self._settle(name, None)

    def replace(self, scorer: Scorer) -> None:
        """Another model from now on; what the old one said is forgotten, what it is working on is not remembered."""
        self._scorer = scorer
        self._remembered.clear()

    def known(self, name: str) -> Score | None:
        score = self._remembered.get(name)
        if score is not None:
            self._remembered.move_to_end(name)
            self.counts.remembered += 1
        return score

    def ask(self, name: str) -> Waiter | None:
        """A future for the name's score; None when it will not be scored."""
        waiting = self._waiting.get(name)
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self.counts.broken += 1
            return None
        if waiting is None:
            if len(self._waiting) >= self._most_waiting:
                self.counts.full += 1
                return None
            self._waiting[name] = waiting = []
            self._queue.put(name)
        waiter: Waiter = self._loop.create_future()
        waiting.append(waiter)
        return waiter

    def expire(self, waiter: Waiter) -> None:
        """The caller's deadline has come: it goes on without a score."""
        if not waiter.done():
            self.counts.late += 1
            waiter.set_result(None)

    def _work(self) -> None:
        """The worker thread: what is waiting is one batch."""
        while (first := self._queue.get()) is not None:
            names = [first]
            try:
                while len(names) < BATCH:
                    name = self._queue.get_nowait()
                    if name is None:
                        self._queue.put(None)
                        break
                    names.append(name)
            except Empty:
                pass
            self._score(names)

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
