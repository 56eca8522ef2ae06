"""Reporters as the hub hears them."""

from msgspec.structs import replace

from namewarden.events.batch import Batch, from_events
from namewarden.hub.reporters import RUNS, WORDS, Reporters
from namewarden.hub.upstreams import SERVERS
from namewarden.query import UpstreamState
from tests.hub.made import Clock


def heard(run: str = "r1", last: bool = False, **counters: int) -> Batch:
    return replace(
        from_events(run, 1, "resolver", []), counters=counters, last=last, gauges={"load": 1.0}
    )


def test_counters_go_on_over_runs() -> None:
    reporters = Reporters(Clock())
    for batch in (heard(tcp=3), heard(tcp=5), heard("r2", tcp=2), heard("r2", tcp=4)):
        reporters.take(batch)
    assert reporters.totals() == {("resolver", "tcp"): 9}
    assert reporters.gauges() == {("resolver", "load"): 2.0}


def test_a_source_that_falls_silent_was_killed_one_that_says_goodbye_was_not() -> None:
    clock = Clock()
    reporters = Reporters(clock)
    reporters.take(heard("killed"))
    reporters.take(heard("ended"))
    reporters.take(heard("ended", last=True))
    clock.now += 20
    reporters.take(heard("alive"))
    assert reporters.ended() == []
    clock.now += 11
    assert [run.run for run in reporters.ended()] == ["killed"]
    assert reporters.ended() == []
    assert [run["run"] for run in reporters.report()] == ["alive"]


def test_what_it_keeps_is_bounded() -> None:
    reporters = Reporters(Clock())
    for n in range(RUNS + 50):
        reporters.take(replace(heard(f"r{n}"), counters={f"c{n}": 1, "bad name{}": 2, "UPPER": 3}))
    assert len(reporters.report()) == RUNS
    assert len(reporters.totals()) == WORDS


def asked(run: str, queries: int, failures: int, server: str = "192.0.2.1:53") -> Batch:
    state = UpstreamState(server, "udp", age=1.0, queries=queries, failures=failures)
    return replace(heard(run), upstreams=[state])


def test_questions_to_an_upstream_are_counted_over_runs() -> None:
    reporters = Reporters(Clock())
    for batch in (asked("a", 5, 1), asked("a", 8, 2), asked("b", 3, 0)):
        reporters.take(batch)
    reporters.take(replace(asked("a", 9, 2), last=True))
    (found,) = reporters.upstreams()
    assert (found.queries, found.failures, found.age) == (12, 2, 1.0)


def test_upstreams_are_those_of_the_runs_that_are_there() -> None:
    clock = Clock()
    reporters = Reporters(clock)
    for n in range(RUNS):
        reporters.take(asked(f"r{n}", 1, 0, f"192.0.2.1:{n}"))
    assert len(reporters.upstreams()) == SERVERS
    clock.now += 60
    reporters.ended()
    assert reporters.upstreams() == []
