"""One question by UDP, TCP and TLS to real servers, and to some that lie, cut off or say nothing."""

import asyncio
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager

import dns.edns
import dns.message
import dns.rcode
import pytest
from msgspec.structs import replace

from namewarden.harness.asking import Client, ServerError, Target, resolve, trust
from namewarden.harness.cases import read
from tests import servers


@pytest.fixture
def case(tmp_path):
    def made(line):
        (tmp_path / "names").write_text(line)
        return read(tmp_path / "names")[0]

    return made


def ask(target, *cases):
    """All by one client."""

    async def asked():
        client = Client(target)
        try:
            return [await client.ask(each) for each in cases]
        finally:
            await client.close()

    return asyncio.run(asked())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_records_codes_and_chains_as_a_server_gives_them(world, case, transport):
    target = Target(world.host, world.port, transport)
    lines = "www.example.org", "chain.example.org,A", "gone.example.org", "hidden.example.org,A"
    came = ask(target, *(case(line) for line in lines))
    assert [each.found.text for each in came] == [
        "A 192.0.2.20",
        "CNAME chain2.example.org., CNAME chain3.example.org., CNAME www.example.org., A 192.0.2.20",
        "NXDOMAIN",
        "NODATA",
    ]
    assert all(0 < each.seconds < 2 and each.tries == 1 for each in came)


def test_what_a_datagram_cannot_hold_comes_by_tcp(world, case):
    (came,) = ask(Target(world.host, world.port), case("long.example.org,TXT"))
    assert len(came.found.records) == 20


@pytest.fixture(scope="module")
def by_tls(tmp_path_factory, world):
    """Unbound with a certificate of its own for `dot.example.org`: (server, port, the certificate)."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext subjectAltName=DNS:dot.example.org"
    command = [
        servers.need("openssl", "openssl"),
        *words.split(),
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run(command, check=True, capture_output=True)
    port = servers.free_port()
    extra = f"""interface: 127.0.0.1@{port}
    tls-port: {port}
    tls-service-key: "{key}"
    tls-service-pem: "{certificate}"
"""
    with servers.unbound(folder / "unbound", world, extra) as server:
        yield server, port, certificate


def test_tls_checks_the_certificate_by_name(by_tls, case):
    _, port, certificate = by_tls
    target = Target("127.0.0.1", port, "tls", tries=1, tls=trust(certificate, False))
    asked = case("www.example.org"), case("mail.example.org")
    came = ask(replace(target, tls_name="dot.example.org"), *asked)
    assert [each.found.text for each in came] == ["A 192.0.2.20", "A 192.0.2.11"]
    (wrong,) = ask(replace(target, tls_name="other.example.org"), asked[0])
    assert "no answer: " in wrong.found.problem and "Hostname mismatch" in wrong.found.problem
    (unknown,) = ask(replace(target, tls=trust(None, False), tls_name="dot.example.org"), asked[0])
    assert "self-signed" in unknown.found.problem or "self signed" in unknown.found.problem
    (came,) = ask(replace(target, tls=trust(None, True), tls_name="other.example.org"), asked[0])
    assert came.found.text == "A 192.0.2.20"


def test_a_server_that_speaks_no_tls(world, case):
    target = Target(
        world.host, world.port, "tls", timeout=1.0, tries=1, tls=trust(None, True), tls_name="x"
    )
    (came,) = ask(target, case("www.example.org"))
    assert came.found.problem.startswith("no answer")


def test_authorities_that_are_none(tmp_path):
    with pytest.raises(ServerError, match="gone"):
        trust(tmp_path / "gone", False)
    (tmp_path / "empty").write_text("")
    with pytest.raises(ServerError, match="empty"):
        trust(tmp_path / "empty", False)


@contextmanager
def saying(*made):
    """A server on UDP that answers the n-th datagram with `made[n](query)`, a list of datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5)

        def serve():
            for make in made:
                data, who = bound.recvfrom(4096)
                for each in make(dns.message.from_wire(data)):
                    bound.sendto(each, who)

        thread = threading.Thread(target=serve)
        thread.start()
        yield Target("127.0.0.1", bound.getsockname()[1], timeout=0.3)
        thread.join()


def refusal(query):
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.REFUSED)
    return reply.to_wire()


def strangers(query):
    """What is not the answer, then the answer."""
    another = dns.message.make_response(dns.message.make_query("x.test", "A", id=query.id))
    yield b"\0"
    yield bytes([query.id >> 8 ^ 1, query.id & 255]) + refusal(query)[2:]
    yield another.to_wire()
    yield query.to_wire()
    yield refusal(query)


def test_what_is_no_answer_is_waited_past(case):
    with saying(strangers) as target:
        (came,) = ask(target, case("a.test"))
    assert (came.found.rcode, came.tries) == ("REFUSED", 1)


def test_a_lost_question_is_asked_again_and_the_time_runs_on(case):
    with saying(lambda query: [], lambda query: [refusal(query)]) as target:
        (came,) = ask(target, case("a.test"))
    assert (came.found.rcode, came.tries) == ("REFUSED", 2) and came.seconds > 0.3


def test_silence_and_a_closed_port_are_told(case):
    with saying(lambda query: [], lambda query: []) as target:
        (came,) = ask(target, case("a.test"))
    assert (came.found.problem, came.tries) == ("no answer within 0.3 s", 2)
    port = servers.free_port()
    for transport in ("udp", "tcp"):
        (came,) = ask(Target("127.0.0.1", port, transport), case("a.test"))
        assert "refused" in came.found.problem.lower()


def test_an_answer_that_cannot_be_read_is_told(case):
    with saying(lambda query: [refusal(query) + b"\0"], lambda query: [refusal(query)[:-4]]) as one:
        (came,) = ask(one, case("a.test"))
    assert "cannot be read" in came.found.problem


def test_extended_errors_and_the_client_subnet(case):
    seen = []

    def answer(query):
        seen.extend(option.to_text() for option in query.options)
        reply = dns.message.make_response(query)
        reply.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, "by a list")])
        return [reply.to_wire()]

    with saying(answer) as target:
        (came,) = ask(target, case("a.test,A,192.0.2.7/24"))
    assert seen == ["ECS 192.0.2.0/24 scope/0"]
    assert came.found.ede == ((15, "by a list"),)


def test_latency_is_the_servers_though_the_harness_is_busy(case):
    """The kernel notes when the answer came; what keeps our loop is not counted."""

    async def asked(target):
        client = Client(target)
        waiting = asyncio.ensure_future(client.ask(case("a.test")))
        await asyncio.sleep(0.02)
        time.sleep(0.2)  # noqa: ASYNC251
        return await waiting

    def soon(query):
        time.sleep(0.05)
        return [refusal(query)]

    with saying(soon) as target:
        assert 0.05 <= asyncio.run(asked(target)).seconds < 0.15


def test_a_connection_that_the_server_closed_costs_no_answer(case):
    """It takes one question of each connection."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        for _ in range(2):
            connection, _ = listening.accept()
            with connection:
                data = connection.recv(4096)
                reply = refusal(dns.message.from_wire(data[2:]))
                connection.sendall(len(reply).to_bytes(2) + reply)

    thread = threading.Thread(target=serve)
    thread.start()
    target = Target("127.0.0.1", listening.getsockname()[1], "tcp", tries=2)
    came = ask(target, case("a.test"), case("b.test"))
    thread.join()
    listening.close()
    assert [each.found.rcode for each in came] == ["REFUSED", "REFUSED"]
    assert [each.tries for each in came] == [1, 1]


@pytest.mark.parametrize(
    ("given", "transport", "resolved"),
    [
        ("127.0.0.1", "udp", ("127.0.0.1", 53, "127.0.0.1")),
        ("127.0.0.1:1053", "tcp", ("127.0.0.1", 1053, "127.0.0.1")),
        ("::1", "tls", ("::1", 853, "::1")),
        ("[::1]:5353", "udp", ("::1", 5353, "::1")),
        ("[::1]", "udp", ("::1", 53, "::1")),
    ],
)
def test_servers_as_people_write_them(given, transport, resolved):
    assert resolve(given, transport) == resolved


@pytest.mark.parametrize(
    "given", ["", ":53", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:70000", "[::1"]
)
def test_servers_that_are_none(given):
    with pytest.raises(ServerError):
        resolve(given, "udp")


def test_a_source_address_is_asked_from(case):
    seen = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5)

        def serve():
            data, who = bound.recvfrom(4096)
            seen.append(who[0])
            bound.sendto(refusal(dns.message.from_wire(data)), who)

        thread = threading.Thread(target=serve)
        thread.start()
        ask(Target("127.0.0.1", bound.getsockname()[1], source="127.0.0.9"), case("a.test"))
        thread.join()
    assert seen == ["127.0.0.9"]


def test_certificates_are_checked_unless_somebody_says_no():
    assert trust(None, False).verify_mode == ssl.CERT_REQUIRED
