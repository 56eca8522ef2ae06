"""Names and addresses that HTTPS and SVCB records hold, against dnspython; and junk."""

from ipaddress import IPv6Address

import dns.message
import dns.rrset
import pytest

from namewarden.wire.errors import WireError
from namewarden.wire.services import led_to

ASKED = dns.message.make_query("www.example.org", "HTTPS")
START = len(ASKED.to_wire())


def message_of(*texts, additional=()):
    reply = dns.message.make_response(ASKED)
    if texts:
        reply.answer = [dns.rrset.from_text("www.example.org.", 60, "IN", "HTTPS", *texts)]
    reply.additional = [dns.rrset.from_text(*each) for each in additional]
    return reply.to_wire()


@pytest.mark.parametrize(
    ("texts", "targets", "addresses"),
    [
        ([], (), ()),
        (["0 ."], (), ()),
        (["1 . alpn=h2"], (), ()),
        (["0 SVC.example.net."], ("svc.example.net.",), ()),
        (["1 a.test. alpn=h2", "2 b.test. port=8443"], ("a.test.", "b.test."), ()),
        (
            ["1 a.test. ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1", "2 a.test. ipv4hint=192.0.2.1"],
            ("a.test.",), ("192.0.2.1", "192.0.2.2", "2001:db8::1"),
        ),
        (["1 . key65280=abc ipv6hint=::ffff:10.0.0.1"], (), (str(IPv6Address("::ffff:10.0.0.1")),)),
    ],
)  # fmt: skip
def test_targets_and_hints_are_read(texts, targets, addresses):
    found = led_to(message_of(*texts), START)  # dnspython writes the records in any order
    assert tuple(tuple(sorted(each)) for each in found) == (targets, addresses)


def test_what_stands_in_additional_counts_too():
    beside = [
        ("a.test.", 60, "IN", "HTTPS", "1 b.test. ipv4hint=192.0.2.3"),
        ("b.test.", 60, "IN", "A", "192.0.2.4"),
        ("b.test.", 60, "IN", "AAAA", "2001:db8::4"),
    ]
    assert led_to(message_of("0 a.test.", additional=beside), START) == (
        ("a.test.", "b.test."),
        ("192.0.2.3", "192.0.2.4", "2001:db8::4"),
    )


def test_more_targets_than_are_judged_are_refused():
    texts = [f"1 t{n}.test." for n in range(33)]
    assert len(led_to(message_of(*texts[:32]), START)[0]) == 32
    with pytest.raises(WireError, match="more names"):
        led_to(message_of(*texts), START)


@pytest.mark.parametrize(
    "rdata",
    [b"", b"\0", b"\0\1", b"\0\1\3a", b"\0\1\0\0\4", b"\0\1\0\0\4\0\3\1\2\3", b"\0\1\0\0\4\0\0",
     b"\0\1\0\0\1\0\x09\2h2", b"\0\1\0\0\4\0\4\1\2\3\4\0"],
)  # fmt: skip
def test_broken_data_is_a_wire_error(rdata):
    data = bytearray(message_of())
    data[7] = 1
    record = b"\xc0\x0c\0\x41\0\1\0\0\0\x3c" + len(rdata).to_bytes(2) + rdata
    with pytest.raises(WireError):
        led_to(bytes(data) + record, START)
