"""The UDP listener after every hostile datagram and real capture: answers, FORMERR or silence, and it lives on."""

import asyncio

import dns.message

from namewarden.net.listener import settled
from namewarden.query import Answer
from tests import hostile, pcap
from tests.net.test_udp import Listener
from tests.shared_data import shared

LARGEST = 65_507  # octets of payload an IPv4 datagram can carry
ASK = dns.message.make_query("www.example.org", "A", id=77).to_wire()


async def drain(listener, label):
    """Every reply so far is a response of a kind the RFCs name."""
    await asyncio.sleep(0)
    while True:
        try:
            data = listener.client.recv(65_535)
        except BlockingIOError:
            return
        assert len(data) >= 12 and data[2] & 0x80 and data[3] & 15 in (0, 1, 4), label


async def survives(packets):
    async with Listener(lambda query: Answer(0)) as listener:
        for number, (label, data) in enumerate(packets):
            if len(data) <= LARGEST:
                listener.client.send(data)
            if number % 32 == 0:
                await drain(listener, label)
        await settled(lambda: not listener.listener.is_busy())
        await drain(listener, "the last")
        assert dns.message.from_wire(await listener.ask(ASK)).id == 77
        return listener.counts


async def test_hostile_datagrams():
    counts = await survives(hostile.packets())
    assert counts.malformed > 500 and counts.queries > counts.malformed


async def test_real_captures():
    files = sorted(shared("pcap").glob("*.pcap*"))
    counts = await survives((file.name, data) for file in files for data in pcap.dns_payloads(file))
    assert counts.queries > 5000
