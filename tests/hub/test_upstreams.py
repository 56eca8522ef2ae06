"""What several workers say of the same servers becomes one line each."""

import pytest

from namewarden.hub.upstreams import SERVERS, counts, joined, sound
from namewarden.query import UpstreamState

NOW = 1000.0
ONE, TWO = ("192.0.2.1:53", "udp"), ("192.0.2.2:53", "tcp")


def said(key=ONE, **more):
    return UpstreamState(*key, **{"queries": 9, "age": 1.0, "latency": 0.01, **more})


DEAD = said(is_dead=True, problem="timeout")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], None),
        ([UpstreamState(*ONE)], ("unknown", None, None, "")),
        ([said()], ("up", 0.01, 1.0, "")),
        ([DEAD], ("down", 0.01, 1.0, "timeout")),
        ([DEAD, DEAD, UpstreamState(*ONE)], ("down", 0.01, 1.0, "timeout")),
        ([DEAD, said(age=3.0)], ("up", 0.01, 1.0, "timeout")),  # somebody is answered
        ([DEAD, said(age=3600.0, latency=0.5)], ("down", 0.01, 1.0, "timeout")),  # long ago
        ([said(age=2.0, latency=each) for each in (0.03, 0.01, 0.02)], ("up", 0.02, 2.0, "")),
        ([said(latency=0.0, problem="REFUSED")], ("up", None, 1.0, "REFUSED")),
    ],
)
def test_one_server(states, expected):
    found = joined([(NOW, state) for state in states], {}, NOW)
    assert [(each.state, each.latency, each.age, each.problem) for each in found] == [
        expected for _ in found
    ] and bool(found) == bool(states)


def test_servers_are_apart_and_in_order():
    found = joined([(NOW, said(TWO)), (NOW - 5, DEAD)], {ONE: (7, 3)}, NOW)
    assert [(each.server, each.transport, each.state, each.age) for each in found] == [
        (*ONE, "down", 6.0),
        (*TWO, "up", 1.0),
    ]
    assert [(each.queries, each.failures) for each in found] == [(7, 3), (0, 0)]


def test_a_server_of_several_zones_is_counted_once():
    assert counts([said(failures=2), said(), said(TWO, queries=-5)]) == {ONE: (18, 2), TWO: (0, 0)}


@pytest.mark.parametrize(
    "state",
    [
        said(("192.0.2.1:53 evil", "udp")), said(("", "udp")), said(("x" * 99, "udp")), said((ONE[0], "pigeon")),
        *(said(age=float("nan")), said(latency=float("inf")), said(latency=-1.0), said(latency=float("nan"))),
    ],
)  # fmt: skip
def test_what_no_page_may_show_is_left_out(state):
    assert sound([said(), state]) == [said()]


def test_a_problem_is_one_short_plain_line():
    (found,) = joined([(NOW, said(problem="é" * 200))], {}, NOW)
    assert found.problem == "?" * 100
    (found,) = joined([(NOW, said(problem="a\nb"))], {}, NOW)
    assert found.problem == ""


def test_servers_are_bounded():
    assert len(sound([said((f"192.0.2.1:{n}", "udp")) for n in range(500)])) == SERVERS
