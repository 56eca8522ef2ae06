"""Our hostile packets and every real capture beside us: a Query or an Answer or a WireError, nothing else."""

import pytest

from namewarden.query import Answer, Query
from namewarden.wire.errors import WireError
from namewarden.wire.message import QR, read_answer, read_query
from tests import hostile, pcap
from tests.shared_data import shared


def read_both_ways(data: bytes) -> None:
    try:
        assert isinstance(read_query(data, "192.0.2.7", "udp", 1.0), Query)
    except WireError as error:
        assert error.reply is None or int.from_bytes(error.reply[2:4]) & QR
    try:
        assert isinstance(read_answer(data, hostile.NAME + hostile.A_IN, 1.0), Answer)
    except WireError:
        pass


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_packets_are_read_or_refused(seed):
    for _, data in hostile.packets(seed):
        read_both_ways(data)
        if len(data) > 2:
            read_both_ways(data[:2] + b"\x81" + data[3:])


def test_real_captures_are_read_or_refused():
    for path in sorted(shared("pcap").glob("*.pcap*")):
        for data in pcap.dns_payloads(path):
            read_both_ways(data)
            read_both_ways(data[2:])
