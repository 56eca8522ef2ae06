"""Payloads out of capture files: pcap and pcapng, enough of Ethernet, Linux cooked, loopback, raw IP, UDP and TCP.

What is odd in a capture is skipped: these files are hostile on purpose.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

DNS_PORTS = {53, 5353, 5355}
UDP, TCP = 17, 6
# Where the network layer begins and where its type stands: link type → (header length, offset of EtherType or -1).
LINKS = {
    0: (4, -1),
    1: (14, 12),
    12: (0, -1),
    101: (0, -1),
    108: (4, -1),
    113: (16, 14),
    276: (20, 0),
}


class Payload(NamedTuple):
    protocol: int
    source: int
    target: int
    data: bytes


def dns_payloads(path: Path) -> Iterator[bytes]:
    """Every UDP payload to or from a DNS port, and every TCP segment's, length prefix included."""
    for payload in payloads(path):
        if payload.data and DNS_PORTS & {payload.source, payload.target}:
            yield payload.data


def payloads(path: Path) -> Iterator[Payload]:
    for link, frame in frames(path.read_bytes()):
        packet = _network(link, frame)
        found = _transport(packet) if packet else None
        if found:
            yield found


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(link type, frame) of a pcap or pcapng file."""
    magic = data[:4]
    if magic == b"\x0a\x0d\x0d\x0a":
        yield from _pcapng(data)
    elif magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        yield from _pcap(data, "<")
    elif magic in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        yield from _pcap(data, ">")


def _pcap(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    if len(data) < 24:
        return
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        yield link, data[at + 16 : at + 16 + length]
        at += 16 + length


def _pcapng(data: bytes) -> Iterator[tuple[int, bytes]]:
    links: list[int] = []
    order, at = "<", 0
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12:
            return
        body = data[at + 8 : at + length - 4]
        if kind == 1 and len(body) >= 2:
            links.append(struct.unpack_from(order + "H", body)[0])
        elif kind == 6 and len(body) >= 20:
            interface, _, _, size = struct.unpack_from(order + "IIII", body)
            if interface < len(links):
                yield links[interface], body[20 : 20 + size]
        elif kind == 3 and links:
            yield links[0], body[4:]
        at += length


def _network(link: int, frame: bytes) -> bytes:
    header, place = LINKS.get(link, (-1, -1))
    if header < 0 or len(frame) < header + 20:
        return b""
    if place < 0:
        return frame[header:]
    kind = frame[place : place + 2]
    while kind in (b"\x81\x00", b"\x88\xa8"):  # VLAN tags
        kind, header = frame[header + 2 : header + 4], header + 4
    return frame[header:] if kind in (b"\x08\x00", b"\x86\xdd") else b""


def _transport(packet: bytes) -> Payload | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        length = int.from_bytes(packet[2:4], "big") or len(packet)
        return _ports(packet[9], packet[(packet[0] & 15) * 4 : length])
    if version == 6 and len(packet) >= 40:
        return _ports(packet[6], packet[40 : 40 + int.from_bytes(packet[4:6], "big")])
    return None


def _ports(protocol: int, segment: bytes) -> Payload | None:
    if protocol == UDP and len(segment) >= 8:
        body = segment[8:]
    elif protocol == TCP and len(segment) >= 20:
        body = segment[(segment[12] >> 4) * 4 :]
    else:
        return None
    source, target = struct.unpack_from(">HH", segment)
    return Payload(protocol, source, target, body)
