"""Denials as a client reads them, with dnspython: every mode, every type."""

import dns.flags
import pytest

from namewarden.query import Verdict
from namewarden.stages.block import blocked
from tests.wire.test_answers import query, records, sent


def block(kind="A", mode="null", edns=0, **more):
    asked = query(kind, use_edns=edns)
    verdict = Verdict("block", "list_deny", rule="malware:3 x", mode=mode, **more)
    return asked, blocked(asked, verdict)


@pytest.mark.parametrize(
    ("kind", "mode", "rcode", "data"),
    [
        ("A", "null", 0, ["www.exAmple.org. 10 IN A 0.0.0.0"]),
        ("AAAA", "null", 0, ["www.exAmple.org. 10 IN AAAA ::"]),
        ("HTTPS", "null", 0, []),
        ("MX", "null", 0, []),
        ("A", "nxdomain", 3, []),
        ("TYPE64", "nodata", 0, []),
        ("A", "refused", 5, []),
        ("A", "ip", 0, ["www.exAmple.org. 10 IN A 192.0.2.66"]),
        ("AAAA", "ip", 0, []),
    ],
)
def test_every_mode_answers_every_type(kind, mode, rcode, data):
    asked, answer = block(kind, mode, addresses=("192.0.2.66",))
    message = sent(asked, answer)
    assert (message.rcode(), records(message)) == (rcode, data)
    assert bool(message.authority) == (not data and rcode != 5)
    codes = [option.code for option in message.extended_errors()]
    assert codes == ([15, 4] if mode == "ip" else [15])


def test_modes_without_an_answer():
    assert block(mode="drop")[1].silent
    message = sent(*block(mode="tcp-only"))
    assert message.flags & dns.flags.TC and not message.answer


def test_local_data_answers_its_types_or_a_cname():
    data = (("A", 60, "192.0.2.5"), ("TXT", 30, '"hello there"'))
    assert records(sent(*block("TXT", "data", records=data))) == [
        'www.exAmple.org. 30 IN TXT "hello there"'
    ]
    assert records(sent(*block("AAAA", "data", records=data))) == []
    cname = (("CNAME", 60, "garden.example.net."),)
    assert records(sent(*block("AAAA", "data", records=cname))) == [
        "www.exAmple.org. 60 IN CNAME garden.example.net."
    ]


def test_opt_goes_only_to_who_sent_it():
    assert sent(*block(edns=False)).edns == -1
    message = sent(*block(edns=0))
    assert message.edns == 0 and message.payload == 1232
    assert "list_deny malware" in str(message.extended_errors()[0].text)


def test_ad_is_never_set_on_a_denial():
    assert not sent(*block(edns=0)).flags & dns.flags.AD
