"""The last handler answers always: with an upstream's answer or with SERVFAIL and the reason."""

from namewarden.query import Answer
from namewarden.stages.forward import forward
from namewarden.wire.errors import UpstreamError
from tests.asking import message, query


async def test_an_answer_passes():
    async def ask(_query):
        return Answer(3)

    assert (await forward(ask)(query("example.org"))).rcode == 3


async def test_no_answer_is_servfail_with_its_code_and_without_our_addresses():
    async def ask(_query):
        raise UpstreamError("192.0.2.1:53: timeout", 22)

    asked = query("example.org")
    answer = await forward(ask)(asked)
    assert answer.verdict is not None
    assert (answer.rcode, answer.status, answer.verdict.reason) == (2, "FAILED", "upstream")
    assert answer.verdict.rule == "192.0.2.1:53: timeout"
    [option] = message(asked, answer).options
    assert (option.code, option.text) == (22, None)
