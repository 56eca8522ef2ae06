"""The verdict listener: a real HTTP client against it, then callers that break the rules."""

import asyncio
import errno
import json
import socket
import time
from hashlib import sha256

import httpx
import pytest

from namewarden.net.verdict_form import to_reply
from namewarden.net.verdicts import GENERATION_PATH, PATH, Limits, VerdictListener, VerdictServing
from namewarden.query import Answer, Query, Verdict

TOKEN = "a-token-of-this-test"
HASHES = [sha256(b"another").hexdigest(), sha256(TOKEN.encode()).hexdigest()]
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BLOCK = Verdict("block", "list_deny", rule="malware:3 bad.test", mode="null", ttl=10)


async def chain(query: Query) -> Answer:
    await asyncio.sleep(0)
    if query.name == "soon.test.":
        await asyncio.sleep(0.3)
    if query.name == "slow.test.":
        await asyncio.sleep(5)
    if query.name.startswith("bad."):
        return Answer(0, ede=((15, "malware"),), verdict=BLOCK)
    if query.name == "late.test.":
        return Answer(0, verdict=Verdict("allow", "model_late"))
    return Answer(0)


class Asking:
    """A listener on a port and on a Unix socket, with clients for both."""

    def __init__(self, listener: VerdictListener, port: int, path: str) -> None:
        self.listener = listener
        self.port = port
        self.tcp = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10)
        self.local = httpx.AsyncClient(
            base_url="http://local", transport=httpx.AsyncHTTPTransport(uds=path), timeout=10
        )

    async def raw(self, data: bytes) -> bytes:
        """Bytes in, all bytes out until the listener hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()
            await writer.wait_closed()


async def screened(query: Query, given: Answer) -> Answer:
    """What is said shows what came."""
    said = f"{query.name} {given.cnames} {given.addresses}"
    bad = any(name.startswith("bad.") for name in given.cnames)
    return Answer(0, verdict=Verdict("block", "cname_deny", said, "null") if bad else None)


class Force:
    """What is in force."""

    now = "g1"


@pytest.fixture
def force():
    return Force()


@pytest.fixture
async def opened(tmp_path, force):
    asking: list[Asking] = []

    async def build(**limits) -> Asking:
        bound = socket.create_server(("127.0.0.1", 0))
        local = socket.socket(socket.AF_UNIX)
        local.bind(str(tmp_path / "verdict.sock"))
        listener = VerdictListener(
            [bound, local],
            VerdictServing(chain, screened, lambda: force.now, lambda: HASHES, "run1"),
            Limits(**limits),
        )
        await listener.start()
        made = Asking(listener, bound.getsockname()[1], str(tmp_path / "verdict.sock"))
        asking.append(made)
        return made

    yield build
    for each in asking:
        await each.tcp.aclose()
        await each.local.aclose()
        await each.listener.stop()


def ask(*names: str) -> dict[str, list[dict[str, str]]]:
    return {"queries": [{"name": n, "qtype": "A", "client": "192.0.2.9"} for n in names]}


async def test_a_batch_is_judged_in_order(opened):
    listener = await opened()
    reply = await listener.tcp.post(
        PATH, json=ask("example.org", "bad.test.", "late.test"), headers=BEARER
    )
    assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
    allowed, blocked, late = reply.json()["verdicts"]
    assert (allowed["action"], allowed["reason"], allowed["answer"]) == ("allow", "none", None)
    assert blocked == {
        "id": "run1-2", "name": "bad.test.", "action": "block", "reason": "list_deny",
        "rule": "malware:3 bad.test", "family": "", "score": None, "band": "", "model": "", "shadow": "",
        "answer": {"mode": "null", "addresses": [], "records": [], "ttl": 10, "ede": [[15, "malware"]]},
        "ttl": 10,
    }  # fmt: skip
    assert late["ttl"] == 0, "what was not judged must be asked again"


@pytest.mark.parametrize(("left", "ttl"), [(3.5, 3), (-1.0, 0), (99.0, 10)])
def test_a_verdict_is_kept_no_longer_than_its_rule_lives(left, ttl):
    asked = Query(0, "a.test.", 1, "192.0.2.9", "api", 0.0, b"")
    ruled = Answer(0, verdict=Verdict("allow", "rule_allow", expires=1000.0 + left))
    assert to_reply("r-1", asked, ruled, 1000.0).ttl == ttl


async def test_the_largest_batch_and_one_more(opened):
    listener = await opened()
    names = [f"n{number}.example.org" for number in range(1025)]
    full = await listener.local.post(PATH, json=ask(*names[:1024]))
    assert [said["name"] for said in full.json()["verdicts"]] == [
        name + "." for name in names[:1024]
    ]
    assert len({said["id"] for said in full.json()["verdicts"]}) == 1024
    assert (await listener.local.post(PATH, json=ask(*names))).status_code == 413


async def test_names_are_normalised_as_on_the_wire(opened):
    listener = await opened()
    reply = await listener.local.post(PATH, json=ask("ExAmple.ORG", "a b.test", "\\000x.test"))
    names = [said["name"] for said in reply.json()["verdicts"]]
    assert names == ["example.org.", "a\\032b.test.", "\\000x.test."]


async def test_a_caller_that_cannot_be_reached_any_more_leaves_nothing(opened):
    listener = (await opened()).listener
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    reader = asyncio.StreamReader()
    reader.set_exception(OSError(errno.EHOSTUNREACH, "No route to host"))
    await listener._server._greet(reader, writer)
    assert listener._server._connections == {True: 0, False: 0} and writer.is_closing()
    theirs.close()


async def test_one_connection_serves_many_requests(opened):
    listener = await opened(connections=1)
    for _ in range(3):
        assert (
            await listener.tcp.post(PATH, json=ask("bad.test"), headers=BEARER)
        ).status_code == 200
        assert (await listener.tcp.get(PATH, headers=BEARER)).status_code == 405


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN},
     {"Authorization": f"Bearer {HASHES[1]}"}],
)  # fmt: skip
async def test_tcp_wants_the_token_and_the_unix_socket_none(opened, headers):
    listener = await opened()
    reply = await listener.tcp.post(PATH, json=ask("example.org"), headers=headers)
    assert reply.status_code == 401 and reply.headers["www-authenticate"] == "Bearer"
    assert reply.json()["error"]["status"] == 401
    assert (
        await listener.local.post(PATH, json=ask("example.org"), headers=headers)
    ).status_code == 200


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "does not fit"),
        (b"{", "does not fit"),
        (b"\xff\xfe", "does not fit"),
        (b"[]", "does not fit"),
        (b'{"queries":[{"name":"a.test"}]}', "client"),
        (b'{"queries":[{"name":"a.test","client":"192.0.2.9","colour":1}]}', "colour"),
        (b'{"queries":[{"name":"a.test","client":"nobody"}]}', "queries[0]"),
        (b'{"queries":[{"name":"","client":"::1"}]}', "queries[0]"),
        (b'{"queries":[{"name":"a..test","client":"::1"}]}', "queries[0]"),
        (b'{"queries":[{"name":"a.test","client":"::1","qtype":"NOPE"}]}', "NOPE"),
        (b'{"queries":[{"name":"a.test","client":"::1","qtype":70000}]}', "queries[0]"),
        (b'{"queries":[{"name":"a.test","client":"::1","qtype":-1}]}', "queries[0]"),
        ('{"queries":[{"name":"bücher.test","client":"::1"}]}'.encode(), "xn--"),
        (json.dumps(ask("x" * 64 + ".test")).encode(), "longer"),
    ],
)
async def test_bad_bodies_are_told_what_is_wrong(opened, body, part):
    listener = await opened()
    reply = await listener.local.post(PATH, content=body)
    assert reply.status_code == 400 and part in reply.json()["error"]["message"]


async def test_paths_and_methods(opened):
    listener = await opened()
    assert (await listener.local.post("/api/v1/other", json=ask())).status_code == 404
    refused = await listener.local.put(PATH, json=ask())
    assert refused.status_code == 405 and refused.headers["allow"] == "POST"
    assert (await listener.local.post(PATH, json=ask())).json()["verdicts"] == []
    refused = await listener.local.post(GENERATION_PATH, content=b"")
    assert refused.status_code == 405 and refused.headers["allow"] == "GET"


async def test_sizes(opened):
    listener = await opened(body=2000)
    assert (await listener.local.post(PATH, content=b" " * 3000)).status_code == 413

    async def pieces():
        yield b"{}"

    assert (await listener.local.post(PATH, content=pieces())).status_code == 411
    head = b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000
    assert b" 431 " in (await listener.raw(head)).split(b"\r\n")[0]


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x02\x00", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                  b"POST / HTTP/1.1\r\nContent-Length: -1\r\nHost: x\r\n\r\n"])  # fmt: skip
async def test_what_is_not_http(opened, data):
    listener = await opened(idle=0.5)
    said = await listener.raw(data)
    assert said == b"" or said.startswith(b"HTTP/1.1 4")


async def test_slow_and_idle_callers_are_let_go(opened):
    listener = await opened(idle=0.1, seconds=0.1)
    assert await listener.raw(b"") == b""
    assert await listener.raw(b"POST " + PATH.encode()) == b""
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n"
    assert await listener.raw(head.encode() + b"{") == b""


async def test_a_body_that_is_longer_than_it_said_is_not_taken(opened):
    listener = await opened(body=64)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    said = await listener.raw(head.encode() + b"1000\r\n" + b" " * 4096 + b"\r\n0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 411 ")


async def test_strangers_on_tcp_take_no_place_of_the_unix_socket(opened):
    listener = await opened(connections=1)
    _, stranger = await asyncio.open_connection("127.0.0.1", listener.port)
    await asyncio.sleep(0.05)
    assert (await listener.raw(b"")).startswith(b"HTTP/1.1 429 ")
    assert (await listener.local.post(PATH, json=ask("example.org"))).status_code == 200
    stranger.close()
    await stranger.wait_closed()


async def test_judging_is_bounded_in_time(opened):
    listener = await opened(seconds=0.1)
    assert (await listener.local.post(PATH, json=ask("slow.test"))).status_code == 503


async def test_connections_and_requests_are_bounded(opened):
    listener = await opened(connections=1, requests=1)
    slow = asyncio.ensure_future(listener.local.post(PATH, json=ask("slow.test")))
    await asyncio.sleep(0.1)
    busy = await listener.tcp.post(PATH, json=ask("example.org"), headers=BEARER)
    assert busy.status_code == 429 and busy.headers["retry-after"] == "1"
    assert (await listener.raw(b"")).startswith(b"HTTP/1.1 429 ")
    assert (await slow).status_code == 200


async def test_stopping_lets_what_is_being_judged_be_answered_and_takes_no_more(opened):
    listener = await opened()
    soon = asyncio.ensure_future(listener.local.post(PATH, json=ask("soon.test")))
    await asyncio.sleep(0.1)
    await listener.listener.stop()
    assert (await soon).status_code == 200
    with pytest.raises(httpx.TransportError):
        await listener.tcp.post(PATH, json=ask("example.org"), headers=BEARER)


async def test_a_bad_name_of_many_is_told_in_its_place(opened):
    listener = await opened()
    asked = ask("good.test", "a..test", "x" * 64 + ".test", "bad.test")
    reply = (await listener.local.post(PATH, json=asked)).json()["verdicts"]
    assert [each.get("error", "") != "" for each in reply] == [False, True, True, False]
    assert [each["action"] for each in reply] == ["allow", "allow", "allow", "block"]
    assert (reply[1]["name"], reply[1]["band"], reply[1]["ttl"]) == ("a..test", "error", 0)
    assert len({each["id"] for each in reply}) == 4


def answered(name: str, names: list[str], addresses: list[str]) -> dict[str, object]:
    return {
        "name": name,
        "client": "192.0.2.9",
        "answer": {"names": names, "addresses": addresses},
    }


async def test_an_answer_is_judged_in_the_place_of_the_name(opened):
    listener = await opened()
    queries = [
        answered("bad.test", ["Cdn.Example.net"], ["192.0.2.1", "2001:DB8::1"]),
        answered("good.test", ["cdn.example.net.", "bad.example."], []),
        {"name": "bad.test", "client": "192.0.2.9"},
    ]
    said = (await listener.local.post(PATH, json={"queries": queries})).json()["verdicts"]
    assert [each["action"] for each in said] == ["allow", "block", "block"]
    assert [each["reason"] for each in said] == ["none", "cname_deny", "list_deny"]
    assert said[1]["rule"] == "good.test. ('cdn.example.net.', 'bad.example.') ()"
    assert said[1]["answer"]["mode"] == "null"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"names": ["a.test"] * 65}, "length <= 64"),
        ({"addresses": ["192.0.2.1"] * 65}, "length <= 64"),
        ({"addresses": ["nowhere"]}, "queries[0].answer"),
        ({"names": ["a..test"]}, "queries[0]"),
        ({"names": [""]}, "empty"),
        ({"ttl": 3}, "ttl"),
    ],
)
async def test_bad_answers_are_told_what_is_wrong(opened, given, part):
    listener = await opened()
    query = {"name": "a.test", "client": "192.0.2.9", "answer": given}
    reply = await listener.local.post(PATH, json={"queries": [query]})
    assert reply.status_code == 400 and part in reply.json()["error"]["message"]


async def test_the_generation_comes_with_verdicts_and_alone(opened, force):
    listener = await opened()
    assert (await listener.local.post(PATH, json=ask("a.test"))).json()["generation"] == "g1"
    assert (await listener.local.get(GENERATION_PATH)).json() == {"generation": "g1"}
    begun = time.monotonic()
    reply = await listener.local.get(f"{GENERATION_PATH}?known=g0&wait=30")
    assert reply.json() == {"generation": "g1"} and time.monotonic() - begun < 1


async def test_verdicts_made_while_the_policy_changes_have_the_older_generation(opened, force):
    listener = await opened()
    soon = asyncio.ensure_future(listener.local.post(PATH, json=ask("soon.test")))
    await asyncio.sleep(0.1)
    force.now = "g2"
    assert (await soon).json()["generation"] == "g1"


async def test_who_waits_is_told_at_once_of_another_generation(opened, force):
    listener = await opened()
    waiting = asyncio.ensure_future(
        listener.tcp.get(f"{GENERATION_PATH}?known=g1&wait=5", headers=BEARER)
    )
    await asyncio.sleep(0.2)
    listener.listener.forget()  # a change that brought nothing new
    await asyncio.sleep(0.1)
    assert not waiting.done()
    force.now, begun = "g2", time.monotonic()
    listener.listener.forget(lambda name: False)
    assert (await waiting).json() == {"generation": "g2"} and time.monotonic() - begun < 0.1


async def test_a_wait_ends_and_the_connection_serves_on(opened):
    listener = await opened(connections=1)
    for _ in range(2):
        reply = await listener.local.get(f"{GENERATION_PATH}?known=g1&wait=0.05")
        assert reply.json() == {"generation": "g1"}


@pytest.mark.parametrize("wait", ["31", "-1", "nan", "soon", ""])
async def test_a_wait_that_is_none(opened, wait):
    listener = await opened()
    reply = await listener.local.get(f"{GENERATION_PATH}?known=g1&wait={wait}")
    assert reply.status_code == 400 and "30" in reply.json()["error"]["message"]


async def test_the_generation_wants_the_token_by_tcp_and_no_body(opened):
    listener = await opened()
    assert (await listener.tcp.get(GENERATION_PATH)).status_code == 401
    sent = await listener.local.request("GET", GENERATION_PATH, content=b"{}")
    assert sent.status_code == 413
    many = "&".join(f"w{number}=1" for number in range(40))
    assert (await listener.local.get(f"{GENERATION_PATH}?{many}")).status_code == 400


async def test_waiters_are_bounded_and_one_that_hangs_up_makes_room(opened):
    listener = await opened(waiters=1)
    head = f"GET {GENERATION_PATH}?known=g1&wait=30 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(head.encode())
    await asyncio.sleep(0.1)
    full = await listener.local.get(f"{GENERATION_PATH}?known=g1&wait=1")
    assert full.status_code == 429 and full.headers["retry-after"] == "1"
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert (await listener.local.get(f"{GENERATION_PATH}?known=g1&wait=0.01")).status_code == 200


async def test_stopping_lets_who_waits_go(opened):
    listener = await opened()
    waiting = asyncio.ensure_future(listener.local.get(f"{GENERATION_PATH}?known=g1&wait=20"))
    await asyncio.sleep(0.1)
    begun = time.monotonic()
    await listener.listener.stop()
    assert (await waiting).json() == {"generation": "g1"} and time.monotonic() - begun < 0.5
