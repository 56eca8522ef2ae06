"""Hostile packets and real captures at the whole product: the same resolver at the end as at the start."""

import socket

import dns.message
import pytest

from tests import hostile, pcap
from tests.product import data, product
from tests.shared_data import shared


@pytest.fixture
def running(tmp_path, world):
    with product(tmp_path, world) as started:
        yield started
        assert "Traceback" not in started.text()


def send_all(running, payloads):
    """Each datagram once; every reply must be a message of DNS."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", running.port))
        replies = 0
        for index, payload in enumerate(payloads):
            try:
                sock.send(payload[:65_507])
            except OSError:
                continue
            if index % 50 == 49:
                data(running.ask("mail.example.org", timeout=10))
            replies += drain(sock)
        return replies + drain(sock)


def drain(sock):
    count = 0
    while True:
        try:
            reply = sock.recv(65535, socket.MSG_DONTWAIT)
        except OSError:
            return count
        assert len(reply) >= 12 and reply[2] & 0x80
        dns.message.from_wire(reply, ignore_trailing=False, one_rr_per_rrset=True)
        count += 1


def test_the_resolver_outlives_every_hostile_datagram(running):
    before = running.pids("resolver")[0]
    assert send_all(running, [packet for _, packet in hostile.packets()]) > 100
    assert data(running.ask("mail.example.org")) == ["192.0.2.11"]
    assert running.pids("resolver")[0] == before


def is_answered_by_tcp(running):
    """Not while as many connections as one address may have are still being given up."""
    try:
        return data(running.ask("mail.example.org", tcp=True)) == ["192.0.2.11"]
    except (OSError, EOFError):
        return False


def test_the_resolver_outlives_hostile_streams(running):
    before = running.pids("resolver")[0]
    for _, chunks in hostile.streams():
        with socket.create_connection(("127.0.0.1", running.port), timeout=5) as sock:
            try:
                for chunk in chunks:
                    sock.sendall(chunk)
            except OSError:
                continue
    running.until(lambda: is_answered_by_tcp(running))
    assert running.pids("resolver")[0] == before


def test_the_resolver_outlives_every_capture(running):
    before = running.pids("resolver")[0]
    files = sorted(
        path for path in shared("pcap").rglob("*") if path.suffix in (".pcap", ".pcapng")
    )
    payloads = [payload for path in files for payload in pcap.dns_payloads(path)]
    send_all(running, payloads)
    assert data(running.ask("mail.example.org")) == ["192.0.2.11"]
    assert running.pids("resolver")[0] == before
