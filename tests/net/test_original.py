"""The original plugin, rebuilt from what is documented of it, asks us: what it prints, and what bad requests get."""

import asyncio
import json
import socket
from http.client import HTTPConnection

import pytest

from namewarden.net.http import Limits
from namewarden.net.original import OriginalListener, probability
from namewarden.query import Answer, Query, Verdict
from tests.original_plugin import Plugin

SAID = {
    "bad.example.": Verdict("block", "list_deny", "l:1 bad.example", mode="null"),
    "trap.example.": Verdict("redirect", "rule_deny", "rule:1", mode="ip"),
    "dga.example.": Verdict("block", "model_malicious", score=0.9983, band="malicious"),
    "low.example.": Verdict("block", "model_malicious", score=0.31, band="malicious"),
    "unsure.example.": Verdict("review", "model_uncertain", score=0.97, band="uncertain"),
    "good.example.": Verdict("allow", "model_benign", score=0.0123, band="benign"),
    "friend.example.": Verdict("allow", "rule_allow"),
}


@pytest.fixture
async def opened():
    made = []

    async def build(**limits):
        asked: list[Query] = []

        async def judge(query: Query) -> Answer:
            asked.append(query)
            if query.name == "slow.example.":
                await asyncio.sleep(5)
            return Answer(0, verdict=SAID.get(query.name))

        bound = socket.create_server(("127.0.0.1", 0))
        listener = OriginalListener([bound], judge, Limits(**limits))
        await listener.start()
        made.append(listener)
        return bound.getsockname()[1], asked

    yield build
    for each in made:
        await each.stop()


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("bad.example.", "Malicious Domain: bad.example. | Probability: 1.000000"),
        ("trap.example.", "Malicious Domain: trap.example. | Probability: 1.000000"),
        ("dga.example.", "Malicious Domain: dga.example. | Probability: 0.998300"),
        ("low.example.", "Malicious Domain: low.example. | Probability: 0.500000"),
        ("unsure.example.", "Benign Domain: unsure.example. | Probability: 0.500001"),
        ("good.example.", "Benign Domain: good.example. | Probability: 0.987700"),
        ("friend.example.", "Benign Domain: friend.example. | Probability: 1.000000"),
        ("unheard.example.", "Benign Domain: unheard.example. | Probability: 1.000000"),
    ],
)
async def test_the_plugin_does_what_the_verdict_says(opened, name, printed):
    port, asked = await opened()
    assert await asyncio.to_thread(Plugin(port).prints, name, "192.0.2.7") == printed
    ((query),) = asked
    assert (query.name, query.client, query.qtype, query.transport) == (name, "192.0.2.7", 1, "api")


@pytest.mark.parametrize("client", ["", "nobody", "192.0.2.300"])
@pytest.mark.parametrize("name", ["a..example.", "", "x" * 64 + ".example."])
async def test_what_is_wrong_is_benign_to_the_plugin_and_breaks_nothing(opened, name, client):
    port, asked = await opened()
    for each in ((name, "192.0.2.7"), ("bad.example.", client)):
        assert "Benign" in await asyncio.to_thread(Plugin(port).prints, *each)
    assert asked == []


async def status(port, *lines, body=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "\r\n".join((*lines, f"Content-Length: {len(body)}", "", ""))
    writer.write(head.encode() + body)
    said = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return int(said.split()[1])


GOOD = b'{"Domain Name":"bad.example.","IP":"::1"}'


@pytest.mark.parametrize(
    ("lines", "body", "wanted"),
    [
        (["POST / HTTP/1.1", "Host: localhost:5000"], GOOD, 200),
        (["POST / HTTP/1.1", "Host: [::1]"], GOOD, 200),
        (["GET / HTTP/1.1", "Host: 127.0.0.1"], b"", 405),
        (["POST /api/v1/verdicts HTTP/1.1", "Host: 127.0.0.1"], GOOD, 404),
        (["POST / HTTP/1.1", "Host: evil.example:5000"], GOOD, 403),
        (["POST / HTTP/1.1", "Host: 127.0.0.1.evil.example"], GOOD, 403),
        (["POST / HTTP/1.1", "Host: 127.0.0.1", "Origin: http://evil.example"], GOOD, 403),
        (["POST / HTTP/1.1", "Host: 127.0.0.1"], b"", 400),
        (["POST / HTTP/1.1", "Host: 127.0.0.1"], b"\xff{", 400),
        (["POST / HTTP/1.1", "Host: 127.0.0.1"], b'{"Domain Name":1,"IP":"::1"}', 400),
        (["POST / HTTP/1.1", "Host: 127.0.0.1"], b'{"IP":"::1"}', 400),
        (["POST / HTTP/1.1", "Host: 127.0.0.1"], b" " * 5000, 413),
    ],
)
async def test_requests_that_are_none(opened, lines, body, wanted):
    port, asked = await opened()
    assert await status(port, *lines, body=body) == wanted
    assert len(asked) == (wanted == 200)


async def test_one_connection_serves_many_and_a_slow_verdict_is_given_up(opened):
    port, _ = await opened(seconds=0.1, connections=1)
    begun = asyncio.get_running_loop().time()
    assert "Benign" in await asyncio.to_thread(Plugin(port).prints, "slow.example.", "::1")
    assert asyncio.get_running_loop().time() - begun < 2

    def twice():
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        for _ in range(2):
            connection.request("POST", "/", GOOD)
            yield json.loads(connection.getresponse().read())
        connection.close()

    assert await asyncio.to_thread(lambda: list(twice())) == [{"p": "1.000000"}] * 2


def test_a_probability_is_never_on_the_wrong_side():
    for score in (None, 0.0, 0.4999999, 0.5, 1.0):
        assert probability(Verdict("block", "model_malicious", score=score)) >= 0.5
        passing = probability(Verdict("review", "model_uncertain", score=score))
        assert float(f"{passing:.6f}") < 0.5
