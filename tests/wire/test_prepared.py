"""The order of prepared answers."""

from namewarden.query import Query
from namewarden.wire.prepared import EACH, EDNS, KINDS, place_of


def test_a_query_finds_the_answer_that_was_made_for_its_like():
    queries = [
        Query(1, "a.", kind, "", "udp", 0.0, b"", payload=payload, do=do)
        for kind in KINDS
        for payload, do in EDNS
    ]
    assert [place_of(query) for query in queries] == list(range(EACH))
