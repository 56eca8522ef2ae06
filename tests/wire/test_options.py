"""A message without its options is the same question, and what is wrong with one stays wrong."""

import os

import dns.edns
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.wire.errors import WireError
from namewarden.wire.message import read_query
from namewarden.wire.options import without_options

PLAIN = dns.message.make_query("www.example.org", "A", id=7, use_edns=0, payload=1232).to_wire()
CUT = PLAIN[:-2]  # short of the length of its options


def asked(*options, **more):
    told: list[dns.edns.Option] = [dns.edns.GenericOption(code, data) for code, data in options]
    query = dns.message.make_query(
        "www.example.org", "A", id=7, use_edns=0, payload=1232, options=told, **more
    )
    return query.to_wire()  # fmt: skip


def read(data):
    try:
        return read_query(data, "192.0.2.1", "udp", 1.0)
    except WireError as error:
        return error.reply, str(error)


@pytest.mark.parametrize(
    "options",
    [
        [(10, os.urandom(8))],
        [(10, os.urandom(24))],
        [(8, b"\0\1\x18\0\xc0\0\x02"), (10, os.urandom(8)), (3, b"")],
        [(12, bytes(300))],
    ],
)
def test_whoever_sends_options_asks_what_others_ask(options):
    assert without_options(asked(*options)) == PLAIN == without_options(PLAIN)


@pytest.mark.parametrize(
    "data",
    [
        b"", PLAIN[:12], PLAIN[:-1], dns.message.make_query("www.example.org", "A").to_wire(),
        CUT + b"\0\4\0\x0a\0\5", CUT + b"\0\4\0\x0a\0\0\0", CUT + b"\0\3\0\x0a\0", CUT + b"\0\5\0\x0a\0\0\0",
        PLAIN[:11] + b"\2" + asked((10, b"x" * 8))[12:],
        PLAIN[:12] + b"\xc0\x0c\0\1\0\1" + asked((10, b"x" * 8))[33:],
    ],
)  # fmt: skip
def test_what_is_odd_stays_as_it_is(data):
    assert without_options(data) == data


options = st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40)), max_size=4)


@given(options, st.booleans(), st.integers(0, 80), st.binary(max_size=4))
def test_it_reads_as_before(options, dnssec, cut, more):
    data = asked(*options, want_dnssec=dnssec)
    for each in (data, data[: len(data) - cut] + more, data + more):
        assert read(without_options(each)) == read(each)


@given(st.binary(max_size=80).map(lambda tail: b"\0\7\1\0\0\1\0\0\0\0\0\1" + tail))
def test_any_octets_read_as_before(data):
    assert read(without_options(data)) == read(data)
