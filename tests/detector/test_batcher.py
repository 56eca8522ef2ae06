"""The batcher: one answer a waiter, bounded, never an exception, never a wait on the loop."""

import asyncio
import threading
import time

import pytest

from namewarden.detector.backlog import BATCH
from namewarden.detector.batcher import Batcher, Waiter
from tests.detector.scorers import Lengths, score_of


@pytest.fixture
def scorer():
    made = Lengths()
    yield made
    made.go.set()


@pytest.fixture
async def batcher(scorer):
    made = Batcher(scorer, 5.0, queue=100, remembered=10)
    made.start()
    yield made
    scorer.go.set()
    made.stop()


def ask(batcher, label, client=b"") -> Waiter:
    waiter: Waiter | None = batcher.ask(label, client)
    assert waiter is not None
    return waiter


async def asked(batcher, label):
    return await asyncio.wait_for(ask(batcher, label), 5)


async def test_a_score_is_made_once_and_remembered(batcher, scorer):
    assert batcher.known("abc") is None
    assert await asked(batcher, "abc") == score_of(3 / 10 - 1.5)
    assert batcher.known("abc") == score_of(3 / 10 - 1.5)
    assert (batcher.counts.scored, batcher.counts.remembered) == (1, 1)


async def test_the_oldest_is_forgotten(batcher):
    for number in range(12):
        await asked(batcher, f"n{number}")
        batcher.known("n0")  # used, so not the oldest
    assert batcher.known("n0") is not None
    assert batcher.known("n1") is None and batcher.known("n11") is not None


async def test_what_waits_becomes_one_batch_and_one_label_is_scored_once(batcher, scorer):
    first = await busy(batcher, scorer)
    waiters = [ask(batcher, f"n{number % 80}") for number in range(90)]
    scorer.go.set()
    scores = await asyncio.wait_for(asyncio.gather(first, *waiters), 5)
    assert all(scores)
    assert [len(batch) for batch in scorer.batches] == [1, BATCH, 80 - BATCH]


async def busy(batcher, scorer):
    """The worker is at a name, and will be until `scorer.go` is set."""
    scorer.go.clear()
    scorer.begun.clear()
    waiter = ask(batcher, "first")
    assert await asyncio.to_thread(scorer.begun.wait, 5)
    return waiter


async def test_the_oldest_of_a_full_queue_pass_at_once(batcher, scorer):
    first = await busy(batcher, scorer)
    waiters = [ask(batcher, f"n{number}") for number in range(130)]
    assert [waiter.done() for waiter in waiters].count(True) == batcher.counts.full == 30
    assert [waiter.result() for waiter in waiters[:30]] == [None] * 30
    scorer.go.set()
    assert all(await asyncio.wait_for(asyncio.gather(first, *waiters[30:]), 5))


async def test_who_asks_little_is_scored_while_another_floods(batcher, scorer):
    await busy(batcher, scorer)
    waiters = [ask(batcher, f"n{number}", b"heavy") for number in range(90)]
    few = ask(batcher, "few", b"light")
    waiters += [ask(batcher, f"n{number}", b"heavy") for number in range(90, 180)]
    scorer.go.set()
    assert await asyncio.wait_for(few, 5) is not None
    assert scorer.batches[1][:2] in (["few", "n179"], ["n179", "few"])


class Slow(Lengths):
    """Every name takes a millisecond."""

    def score_batch(self, names):
        time.sleep(len(names) * 1e-3)
        return super().score_batch(names)


async def test_offered_three_times_what_can_be_done_what_is_scored_is_in_time():
    scorer = Slow()
    batcher = Batcher(scorer, 2.0)
    batcher.start()
    heavy, light = [], []
    for turn in range(80):
        heavy += [ask(batcher, f"n{turn}-{number}", b"heavy") for number in range(45)]
        light.append(ask(batcher, f"n{turn}", b"light"))
        await asyncio.sleep(0.015)
    scores = await asyncio.wait_for(asyncio.gather(*heavy), 5)
    assert all(await asyncio.wait_for(asyncio.gather(*light), 5))
    done = sum(map(len, scorer.batches))
    assert batcher.counts.full > 500 and done > len(light)
    assert sum(score is not None for score in scores) + len(light) >= 0.9 * done
    batcher.stop()


@pytest.mark.parametrize("leaves", [True, False], ids=["it left", "its deadline came"])
async def test_what_nobody_waits_for_is_not_scored(scorer, leaves):
    batcher = Batcher(scorer, 0.3)
    batcher.start()
    first = await busy(batcher, scorer)
    one, other = ask(batcher, "abc"), ask(batcher, "abc")
    if leaves:
        one.cancel()
        other.cancel()
        await asyncio.sleep(0)
    else:
        assert await asyncio.wait_for(asyncio.gather(*[first, one, other]), 5) == [None] * 3
        assert batcher.counts.late == 3
    scorer.go.set()
    await asyncio.sleep(0.1)
    assert scorer.batches == [["first"]]
    assert (await asked(batcher, "abc")) is not None
    batcher.stop()


async def test_one_that_left_takes_nothing_from_the_others(batcher, scorer):
    await busy(batcher, scorer)
    one, other = ask(batcher, "abc", b"a"), ask(batcher, "abc", b"b")
    one.cancel()
    await asyncio.sleep(0)
    scorer.go.set()
    assert await asyncio.wait_for(other, 5) is not None


async def test_a_broken_model_answers_nothing_and_recovers(batcher, scorer):
    scorer.broken = True
    assert await asked(batcher, "abc") is None
    assert batcher.counts.broken == 1 and batcher.known("abc") is None
    scorer.broken = False
    assert await asked(batcher, "abc") is not None


@pytest.mark.parametrize(
    "error",
    [ValueError("of another shape"), MemoryError(), TypeError(), ZeroDivisionError()],
    ids=repr,
)
async def test_whatever_a_scorer_raises_its_waiters_are_answered_and_the_next_ones_scored(
    batcher, scorer, error
):
    scorer.broken, scorer.error = True, error
    scorer.go.clear()
    waiters = [ask(batcher, "abc"), ask(batcher, "abc"), ask(batcher, "defg")]
    scorer.go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 5) == [None] * 3
    assert batcher.counts.broken == 2 and batcher.known("abc") is None
    scorer.broken = False
    assert await asked(batcher, "abc") is not None


async def test_fewer_scores_than_names_are_none(batcher, scorer):
    scorer.keeps_back = 1
    first = await busy(batcher, scorer)
    waiters = [first, ask(batcher, "abc"), ask(batcher, "defg")]
    scorer.go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 5) == [None] * 3
    assert (batcher.counts.broken, batcher.counts.scored) == (3, 0)
    scorer.keeps_back = 0
    assert await asked(batcher, "abc") is not None


async def test_a_late_score_is_none_for_its_waiter_and_kept_for_the_next(scorer):
    batcher = Batcher(scorer, 0.3)
    batcher.start()
    scorer.go.clear()
    waiter = ask(batcher, "abc")
    assert await asyncio.wait_for(waiter, 5) is None and batcher.counts.late == 1
    scorer.go.set()
    assert await asked(batcher, "other") is not None
    assert batcher.known("abc") is not None
    await asyncio.sleep(0.1)
    assert batcher.counts.late == 1
    batcher.stop()


class Quick(Lengths):
    is_quick = True


async def test_a_quick_scorer_is_asked_at_once_and_its_scores_are_remembered():
    scorer, before = Quick(), threading.active_count()
    batcher = Batcher(scorer, 5.0, remembered=2)
    batcher.start()
    assert batcher.known("abc") == batcher.known("abc") == score_of(3 / 10 - 1.5)
    assert (batcher.counts.scored, batcher.counts.remembered) == (1, 1)
    for name in ("a", "b", "abc"):
        assert batcher.known(name) is not None
    assert scorer.batches == [["abc"], ["a"], ["b"], ["abc"]]
    assert threading.active_count() <= before
    batcher.stop()


async def test_a_quick_scorer_that_fails_is_counted_and_recovers():
    scorer = Quick()
    batcher = Batcher(scorer, 5.0)
    batcher.start()
    scorer.broken = True
    assert batcher.known("abc") is None and batcher.ask("abc") is None
    assert (batcher.counts.broken, batcher.counts.scored) == (1, 0)
    scorer.broken = False
    assert batcher.known("abc") is not None
    batcher.stop()


async def test_a_slow_model_may_come_after_a_quick_one():
    batcher = Batcher(Quick(), 5.0)
    batcher.start()
    assert batcher.known("abc") is not None
    batcher.replace(Lengths())
    assert batcher.known("abc") is None
    assert await asked(batcher, "abc") is not None
    batcher.replace(Quick())
    assert batcher.known("abc") is not None
    batcher.stop()


async def test_another_model_forgets_what_the_old_one_said(batcher, scorer):
    await asked(batcher, "abc")
    scorer.go.clear()
    scorer.begun.clear()
    late = ask(batcher, "of the old one")
    assert await asyncio.to_thread(scorer.begun.wait, 5)
    batcher.replace(Lengths())
    scorer.go.set()
    assert await late is not None
    assert batcher.known("abc") is None and batcher.known("of the old one") is None


async def test_stopping_leaves_nobody_waiting(scorer):
    batcher = Batcher(scorer, 5.0)
    assert batcher.ask("too early") is None
    batcher.start()
    scorer.go.clear()
    waiter = ask(batcher, "abc")
    assert waiter is not None
    scorer.go.set()
    batcher.stop()
    assert await asyncio.wait_for(waiter, 5) in (None, score_of(3 / 10 - 1.5))
    assert batcher.ask("too late") is None
    assert batcher.counts.broken == 2
