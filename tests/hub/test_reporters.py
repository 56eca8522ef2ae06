"""Reporters as the hub hears them."""

from msgspec.structs import replace

from namewarden.events.batch import Batch, from_events
from namewarden.hub.reporters import RUNS, WORDS, Reporters
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
