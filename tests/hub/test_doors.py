"""Doors as the hub hears them."""

from msgspec.structs import replace

from namewarden.events.batch import Batch, from_events
from namewarden.hub.doors import RUNS, WORDS, Doors
from tests.hub.desks import Clock


def heard(run: str = "r1", last: bool = False, **counters: int) -> Batch:
    return replace(
        from_events(run, 1, "resolver", []), counters=counters, last=last, gauges={"load": 1.0}
    )


def test_counters_go_on_over_runs() -> None:
    doors = Doors(Clock())
    for batch in (heard(tcp=3), heard(tcp=5), heard("r2", tcp=2), heard("r2", tcp=4)):
        doors.hear(batch)
    assert doors.totals() == {("resolver", "tcp"): 9}
    assert doors.gauges() == {("resolver", "load"): 2.0}


def test_a_door_that_falls_silent_was_killed_one_that_says_goodbye_was_not() -> None:
    clock = Clock()
    doors = Doors(clock)
    doors.hear(heard("killed"))
    doors.hear(heard("ended"))
    doors.hear(heard("ended", last=True))
    clock.now += 20
    doors.hear(heard("alive"))
    assert doors.ended() == []
    clock.now += 11
    assert [run.run for run in doors.ended()] == ["killed"]
    assert doors.ended() == []
    assert [run["run"] for run in doors.report()] == ["alive"]


def test_what_it_keeps_is_bounded() -> None:
    doors = Doors(Clock())
    for n in range(RUNS + 50):
        doors.hear(replace(heard(f"r{n}"), counters={f"c{n}": 1, "bad name{}": 2, "UPPER": 3}))
    assert len(doors.report()) == RUNS
    assert len(doors.totals()) == WORDS
