"""The batcher: one answer a waiter, bounded, never an exception, never a wait on the loop."""

import asyncio

import pytest

from namewarden.detector.batcher import BATCH, Batcher
from tests.detector.scorers import Lengths, score_of


@pytest.fixture
def scorer():
    made = Lengths()
    yield made
    made.go.set()


@pytest.fixture
async def batcher(scorer):
    made = Batcher(scorer, queue=100, remembered=10)
    made.start()
    yield made
    scorer.go.set()
    made.stop()


async def asked(batcher, label):
    waiter = batcher.ask(label)
    assert waiter is not None
    return await asyncio.wait_for(waiter, 5)


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
    scorer.go.clear()
    first = batcher.ask("first")
    await asyncio.sleep(0.05)  # the worker has taken it
    waiters = [batcher.ask(f"n{number % 80}") for number in range(90)]
    scorer.go.set()
    scores = await asyncio.wait_for(asyncio.gather(first, *waiters), 5)
    assert all(scores)
    assert [len(batch) for batch in scorer.batches] == [1, BATCH, 80 - BATCH]


async def test_a_full_queue_says_no_at_once(batcher, scorer):
    scorer.go.clear()
    waiters = [batcher.ask(f"n{number}") for number in range(130)]
    assert waiters.count(None) == 30 and batcher.counts.full == 30


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
    waiters = [batcher.ask("abc"), batcher.ask("abc"), batcher.ask("defg")]
    scorer.go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 5) == [None] * 3
    assert batcher.counts.broken == 2 and batcher.known("abc") is None
    scorer.broken = False
    assert await asked(batcher, "abc") is not None


async def test_fewer_scores_than_names_are_none(batcher, scorer):
    scorer.keeps_back = 1
    scorer.go.clear()
    first = batcher.ask("first")
    await asyncio.sleep(0.05)  # the worker has taken it
    waiters = [first, batcher.ask("abc"), batcher.ask("defg")]
    scorer.go.set()
    assert await asyncio.wait_for(asyncio.gather(*waiters), 5) == [None] * 3
    assert (batcher.counts.broken, batcher.counts.scored) == (3, 0)
    scorer.keeps_back = 0
    assert await asked(batcher, "abc") is not None


async def test_a_late_score_is_none_for_its_waiter_and_kept_for_the_next(batcher, scorer):
    scorer.go.clear()
    waiter = batcher.ask("abc")
    batcher.expire(waiter)
    assert await waiter is None and batcher.counts.late == 1
    scorer.go.set()
    assert await asked(batcher, "other") is not None
    assert batcher.known("abc") is not None
    batcher.expire(waiter)
    assert batcher.counts.late == 1


async def test_another_model_forgets_what_the_old_one_said(batcher, scorer):
    await asked(batcher, "abc")
    scorer.go.clear()
    late = batcher.ask("of the old one")
    await asyncio.sleep(0.05)
    batcher.replace(Lengths())
    scorer.go.set()
    assert await late is not None
    assert batcher.known("abc") is None and batcher.known("of the old one") is None


async def test_stopping_leaves_nobody_waiting(scorer):
    batcher = Batcher(scorer)
    assert batcher.ask("too early") is None
    batcher.start()
    scorer.go.clear()
    waiter = batcher.ask("abc")
    assert waiter is not None
    scorer.go.set()
    batcher.stop()
    assert await asyncio.wait_for(waiter, 5) in (None, score_of(3 / 10 - 1.5))
    assert batcher.ask("too late") is None
    assert batcher.counts.broken == 2
