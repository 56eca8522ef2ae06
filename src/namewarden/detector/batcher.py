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
from namewarden.detector.model import ModelError
from namewarden.detector.score import Scorer
from namewarden.query import Score

BATCH = 64  # more at once is no faster, and the first would wait for the last
Waiter = asyncio.Future[Score | None]


class Counts(Struct):
    """What passed unscored, and why; `scored` for comparison."""

    scored: int = 0
    remembered: int = 0
    late: int = 0  # the deadline passed
    full: int = 0  # too many names were waiting
    broken: int = 0  # the model failed


class Batcher:
    """`known` at once, else `ask`. Lives on one event loop."""

    def __init__(self, scorer: Scorer, queue: int = 4096, remembered: int = 50_000) -> None:
        self.counts = Counts()
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
        for label in list(self._waiting):
            self._settle(label, None)

    def replace(self, scorer: Scorer) -> None:
        """Another model from now on; what the old one said is forgotten, what it is working on is not remembered."""
        self._scorer = scorer
        self._remembered.clear()

    def known(self, label: str) -> Score | None:
        score = self._remembered.get(label)
        if score is not None:
            self._remembered.move_to_end(label)
            self.counts.remembered += 1
        return score

    def ask(self, label: str) -> Waiter | None:
        """A future for the label's score; None when it will not be scored."""
        waiting = self._waiting.get(label)
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            self.counts.broken += 1
            return None
        if waiting is None:
            if len(self._waiting) >= self._most_waiting:
                self.counts.full += 1
                return None
            self._waiting[label] = waiting = []
            self._queue.put(label)
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
            labels = [first]
            try:
                while len(labels) < BATCH:
                    label = self._queue.get_nowait()
                    if label is None:
                        self._queue.put(None)
                        break
                    labels.append(label)
            except Empty:
                pass
            self._score(labels)

    def _score(self, labels: list[str]) -> None:
        assert self._loop is not None
        scorer = self._scorer
        try:
            scores: list[Score] | None = scorer.score_batch(labels)
        except ModelError:
            scores = None
        try:
            self._loop.call_soon_threadsafe(self._deliver, scorer, labels, scores)
        except RuntimeError:  # the loop has ended: nobody waits
            return

    def _deliver(self, scorer: Scorer, labels: list[str], scores: list[Score] | None) -> None:
        if scores is None:
            self.counts.broken += len(labels)
            for label in labels:
                self._settle(label, None)
            return
        self.counts.scored += len(labels)
        for label, score in zip(labels, scores, strict=True):
            if scorer is self._scorer:
                self._remember(label, score)
            self._settle(label, score)

    def _remember(self, label: str, score: Score) -> None:
        self._remembered[label] = score
        if len(self._remembered) > self._most_remembered:
            self._remembered.popitem(last=False)

    def _settle(self, label: str, score: Score | None) -> None:
        for waiter in self._waiting.pop(label, ()):
            if not waiter.done():
                waiter.set_result(score)
