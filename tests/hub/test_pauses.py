"""Which rules are pauses, and until when."""

import pytest

from namewarden.hub.pauses import pause_id, pause_rule, pauses

NOW = 1000.0


def rule(group="", **more):
    return {**pause_rule(group, "1h"), **more}


@pytest.mark.parametrize(
    ("id", "body", "expires", "found"),
    [
        (pause_id(""), rule(), NOW + 1, [{"group": "", "expires": NOW + 1}]),
        (pause_id("kids"), rule("kids"), NOW + 1, [{"group": "kids", "expires": NOW + 1}]),
        (pause_id("kids"), rule("kids"), NOW, []),
        (pause_id("kids"), rule("others"), NOW + 1, []),
        (pause_id(""), rule(name="^ads"), NOW + 1, []),
        ("mine", rule(), NOW + 1, []),
    ],
)
def test_a_pause_is_a_rule_with_an_id_of_its_own(id, body, expires, found):
    assert pauses([(id, body, expires)], NOW) == found


def test_ids_are_apart():
    ids = {pause_id(group) for group in ("", "a.b", "a_b", "x" * 64)}
    assert len(ids) == 4 and all(len(id) <= 64 for id in ids)
