"""Own records as wire."""

import pytest

from namewarden.query import Answer
from namewarden.wire.errors import WireError
from namewarden.wire.records import encode, encode_rdata
from tests.wire.test_answers import query, records, sent


def test_records_answer_with_the_name_asked_and_others():
    owner = "www.example.org."
    body, ttls, count = encode(
        owner, [(owner, "CNAME", 60, "a.example.net."), ("a.example.net.", "MX", 5, "10 mail")]
    )
    assert records(sent(query(), Answer(0, body, (count, 0, 0), ttls))) == [
        "www.exAmple.org. 60 IN CNAME a.example.net.",
        "a.example.net. 5 IN MX 10 mail.",
    ]
    assert [int.from_bytes(body[at : at + 4]) for at in ttls] == [60, 5]


@pytest.mark.parametrize(
    ("kind", "text"), [("A", "300.1.1.1"), ("NOPE", "x"), ("MX", "mail"), ("A", "")]
)
def test_what_is_no_record_is_refused(kind, text):
    with pytest.raises(WireError, match="is not a record"):
        encode_rdata(kind, text)
