"""A bug below is answered, counted and logged; a cancellation passes."""

import asyncio

import pytest
from structlog.testing import capture_logs

from namewarden.query import Answer
from namewarden.stages.guard import Faults, guard
from tests.asking import query


async def test_a_bug_becomes_servfail_with_a_traceback():
    faults = Faults()

    async def broken(_query):
        raise ZeroDivisionError("bug")

    with capture_logs() as logs:
        answer = await guard(faults)(query("<b>.example.org"), broken)
    assert answer.verdict is not None
    assert (answer.rcode, answer.status, answer.verdict.reason) == (2, "FAILED", "fault")
    assert faults.count == 1
    assert logs[0]["exc_info"] and logs[0]["name"] == "\\060b\\062.example.org."


async def test_answers_and_cancellations_pass():
    faults = Faults()

    async def fine(_query):
        return Answer(0)

    async def cancelled(_query):
        raise asyncio.CancelledError

    assert (await guard(faults)(query("example.org"), fine)).rcode == 0
    with pytest.raises(asyncio.CancelledError):
        await guard(faults)(query("example.org"), cancelled)
    assert faults.count == 0
