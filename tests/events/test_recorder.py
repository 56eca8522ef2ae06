"""The queue: bounded, counted, in order."""

from namewarden.events.recorder import Recorder
from namewarden.events.rows import DeniedRows
from tests.events.samples import event


def test_events_beyond_the_capacity_are_counted_with_their_queries() -> None:
    recorder = Recorder("resolver", 3)
    for n in range(5):
        recorder.record(event(count=n + 1))
    assert recorder.waiting == 3
    assert (recorder.dropped_events, recorder.dropped_queries) == (2, 4 + 5)


def test_what_is_being_sent_counts_against_the_capacity_until_it_is_settled() -> None:
    recorder = Recorder("resolver", 3)
    for _ in range(3):
        recorder.record(event())
    assert len(recorder.take(2)) == 2
    recorder.record(event())
    assert (recorder.waiting, recorder.held, recorder.dropped_events) == (1, 3, 1)
    recorder.settle()
    recorder.record(event())
    assert (recorder.waiting, recorder.held, recorder.dropped_events) == (2, 2, 1)


def test_events_leave_in_the_order_they_came_and_are_numbered() -> None:
    recorder = Recorder("resolver", 10)
    for n in range(5):
        recorder.record(event(name=f"{n}."))
    assert names(recorder.take(3)) == ["0.", "1.", "2."]
    assert recorder.recorded == 3
    assert names(recorder.take(3)) == ["3.", "4."]


def test_two_runs_have_two_names() -> None:
    assert Recorder("resolver", 1).run != Recorder("resolver", 1).run


def names(taken):
    return [event.name for event in taken]


class Nothing:
    """A source whose rows are never sent."""

    def event_of(self, code):
        raise AssertionError("not asked")

    lines = event_of


def rows(count: int) -> DeniedRows:
    return DeniedRows(
        1.0, bytes(8 * count), bytes(8 * count), ["192.0.2.1"] * count, "a.", Nothing()
    )


def test_rows_count_as_many_events_and_are_dropped_whole() -> None:
    recorder = Recorder("resolver", 12)
    recorder.record_rows(rows(8))
    recorder.record(event())
    recorder.record_rows(rows(4))
    assert (recorder.waiting, recorder.dropped_events, recorder.dropped_queries) == (9, 4, 4)
    assert len(recorder.take(1)) == 1  # eight rows are as much work as an event
    assert (recorder.waiting, recorder.held, recorder.recorded) == (1, 9, 8)
    recorder.record_rows(rows(3))
    assert recorder.dropped_events == 4
