"""TERM: queries in flight are answered, events reach the hub, and what cannot is told."""

import os
import signal
import socket
from types import SimpleNamespace
from typing import Any

import dns.message
import pytest

from tests.lying_upstream import Liar, honest, lying, silent, slow
from tests.product import product, rcode


def held(query):
    """Names say how long they take."""
    for name, behave in ((b"slow", slow(0.8)), (b"never", silent)):
        if name in query.lower():  # the upstream gets names in mixed case
            return behave(query)
    return honest(query)


@pytest.fixture
def running(tmp_path):
    with lying(Liar(udp=held, tcp=held)) as liar:
        upstream: Any = SimpleNamespace(url=liar.url)
        with product(tmp_path, upstream, patience="timeout = 20.0\ntotal = 20.0") as started:
            yield started


class Client:
    """Sends now, listens later."""

    def __init__(self, port):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.connect(("127.0.0.1", port))
        self.udp.settimeout(10)
        self.tcp = socket.create_connection(("127.0.0.1", port))
        self.tcp.settimeout(10)

    def send(self, name):
        self.udp.send(dns.message.make_query(f"u{name}", "A").to_wire())
        query = dns.message.make_query(f"t{name}", "A").to_wire()
        self.tcp.sendall(len(query).to_bytes(2) + query)

    def received(self):
        """One message by UDP, one by TCP."""
        with self.udp, self.tcp, self.tcp.makefile("rb") as stream:
            return [
                dns.message.from_wire(self.udp.recv(4096)),
                dns.message.from_wire(stream.read(int.from_bytes(stream.read(2)))),
            ]


def test_what_is_in_flight_is_answered_and_every_event_arrives(running):
    client, patient = Client(running.port), Client(running.port)
    client.send("slow.example.org")
    patient.send("never.example.org")
    for _ in range(5):  # the last of them are counted by the packet cache, and not recorded yet
        assert rcode(running.ask("repeated.example.org")) == "NOERROR"
    os.kill(running.process.pid, signal.SIGTERM)
    assert running.process.wait(20) == 0 and "Traceback" not in running.text()
    assert [rcode(message) for message in client.received()] == ["NOERROR", "NOERROR"]
    assert [rcode(message) for message in patient.received()] == ["SERVFAIL", "SERVFAIL"]
    running.start()
    running.until(lambda: running.text().count("ready;") == 2)
    assert running.event("uslow.example.org")["status"] == "FORWARDED"
    assert running.event("tslow.example.org")["transport"] == "tcp"
    assert running.event("unever.example.org")["status"] == "FAILED"
    assert running.event("tnever.example.org")["reason"] == "upstream"
    running.event("repeated.example.org", count=5)


def test_a_hub_that_hangs_does_not_keep_a_resolver_and_what_is_lost_is_told(running):
    [hub] = running.pids("hub")
    resolver = running.pids("resolver")[0]
    os.kill(hub, signal.SIGSTOP)
    for n in range(3):
        assert rcode(running.ask(f"n{n}.example.org")) == "NOERROR"
    os.kill(resolver, signal.SIGTERM)
    running.wait_for("3 events did not reach the hub", 10)
    running.until(lambda: resolver not in running.pids("resolver"), 5)
    assert rcode(running.ask("next.example.org")) == "NOERROR"
    os.kill(hub, signal.SIGCONT)
