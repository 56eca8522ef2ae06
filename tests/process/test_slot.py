"""The rules of keeping a child, with real processes and a clock of our own."""

import errno
import os
import time

import pytest

from namewarden.process.channel import Channel
from namewarden.process.fork import forked
from namewarden.process.slot import LOADING, SILENCE, Child, Process, Slot


class Kept:
    """A slot of one child, and what the supervisor's loop does for it."""

    def __init__(self, main):
        self.told = []
        self.slot = Slot(Child("echo", main), self.start, self.told.append)
        self.now = 0.0

    def start(self, child, now):
        (news, telling), (waiting, go) = os.pipe(), os.pipe()
        os.set_blocking(news, False)
        channel = Channel({}, -1, telling, waiting)
        pid = forked(lambda: child.main(channel), ("echo",), channel.descriptors())
        os.close(telling)
        os.close(waiting)
        return Process(pid, news, go, now, SILENCE)

    @property
    def process(self):
        (only,) = self.slot.processes()
        return only

    def turn(self, seconds):
        """So much later."""
        self.now += seconds
        self.slot.tick(self.now)

    def end(self, process):
        _, status = os.waitpid(process.pid, 0)
        process.close()
        self.slot.ended(process, os.waitstatus_to_exitcode(status), self.now)


@pytest.fixture
def kept(request):
    running = Kept(request.param)
    yield running
    for process in running.slot.processes():
        process.kill()
        os.waitpid(process.pid, 0)
        process.close()


def loads(channel):
    time.sleep(60)
    return 0


def falls_silent(channel):
    channel.is_ready()
    time.sleep(60)
    return 0


def only_lives(channel):
    while True:
        os.write(channel.news, b".")
        time.sleep(0.02)


def refuses(channel):
    return 1


def ends(channel):
    channel.is_ready()
    return 1


def heard(kept):
    """Once it has told that it is ready."""
    end = time.monotonic() + 10
    while not kept.slot.was_ready and time.monotonic() < end:
        time.sleep(0.01)
        kept.turn(0)


@pytest.mark.parametrize("kept", [loads], indirect=True)
def test_one_that_loads_has_more_time(kept):
    kept.turn(0)
    first = kept.process
    kept.turn(LOADING - 1)
    assert kept.told == []
    kept.turn(2)
    assert kept.told == ["echo gives no sign of life, it is killed"]
    kept.turn(5)
    assert len(kept.told) == 1  # told once
    kept.end(first)
    kept.turn(0)
    assert kept.process is not first


@pytest.mark.parametrize("kept", [falls_silent], indirect=True)
def test_one_that_served_is_missed_after_ten_seconds(kept):
    kept.turn(0)
    heard(kept)
    kept.turn(SILENCE - 1)
    assert kept.told == []
    kept.turn(2)
    assert kept.told == ["echo gives no sign of life, it is killed"]


@pytest.mark.parametrize("kept", [falls_silent], indirect=True)
def test_where_there_is_no_room_it_is_tried_again(kept):
    def full(child: Child, now: float) -> Process:
        raise OSError(errno.EAGAIN, "no room")

    kept.slot = Slot(Child("echo", falls_silent), full, kept.told.append)
    kept.turn(0)
    assert kept.told == ["echo cannot be started (no room), tried again in 5 s"]
    kept.turn(4.9)
    assert len(kept.told) == 1 and kept.slot.due_in(kept.now) == pytest.approx(0.1)
    kept.turn(0.2)
    assert len(kept.told) == 2


@pytest.mark.parametrize("kept", [falls_silent], indirect=True)
def test_another_one_that_has_no_room_is_tried_again(kept):
    def crowded(child, now):
        if rooms.pop():
            return kept.start(child, now)
        raise OSError(errno.EAGAIN, "no room")

    rooms = [True, True, False, True, True]
    kept.slot = Slot(Child("echo", falls_silent, has_spare=True), crowded, kept.told.append)
    kept.turn(0)
    heard(kept)
    first, old_spare = kept.slot.processes()[::-1]
    kept.slot.replace(Child("another", falls_silent, has_spare=True), kept.now)
    assert kept.told == ["another cannot be started (no room), tried again in 5 s"]
    assert not kept.slot.is_settled
    kept.end(old_spare)
    kept.turn(5.1)
    end = time.monotonic() + 10
    while not kept.slot.is_settled and time.monotonic() < end:
        time.sleep(0.01)
        kept.turn(0)
    assert kept.slot.is_settled
    kept.end(first)
    assert len(kept.told) == 1


@pytest.mark.parametrize("has_spare", [False, True])
@pytest.mark.parametrize("kept", [falls_silent], indirect=True)
def test_one_that_never_gets_ready_gives_the_place_back(kept, has_spare):
    before = Child("echo", falls_silent, has_spare=has_spare)
    kept.slot = Slot(before, kept.start, kept.told.append)
    kept.turn(0)
    heard(kept)
    other = Child("another", only_lives, has_spare=has_spare)
    for process in kept.slot.processes():
        process.is_silent = lambda now: False  # who serves is not what this is about
    kept.slot.replace(other, kept.now)
    assert kept.slot.is_of(other)
    if not has_spare:
        kept.end(kept.process)
    kept.turn(0)
    other_process = kept.slot.processes()[0]
    for _ in range(3):
        time.sleep(0.05)  # it tells that it lives
        kept.turn(LOADING / 2)
    kept.end(other_process)
    name = "the spare of echo" if has_spare else "another"
    assert kept.told[-1] == f"{name} ended (killed by SIGKILL): echo stays as it was"
    assert kept.slot.child is before and not kept.slot.is_of(other)


@pytest.mark.parametrize("kept", [refuses], indirect=True)
def test_one_that_never_served_and_ends_with_1_refuses(kept):
    kept.turn(0)
    kept.end(kept.process)
    assert kept.slot.refused == "echo" and kept.told == []


@pytest.mark.parametrize("kept", [loads], indirect=True)
def test_one_that_is_killed_before_it_was_ready_is_told_and_started_again(kept):
    kept.turn(0)
    kept.process.kill()
    kept.end(kept.process)
    assert kept.told == ["echo ended (killed by SIGKILL), starting it again at once"]
    kept.turn(0)
    assert len(kept.slot.processes()) == 1 and not kept.slot.refused


@pytest.mark.parametrize("kept", [ends], indirect=True)
def test_restarts_in_a_row_wait_longer(kept):
    kept.turn(0)
    heard(kept)
    for delay in (0, 0.2, 0.5, 1):
        process = kept.process
        kept.end(process)
        assert kept.told[-1] == "echo ended (exit status 1), starting it again " + (
            f"in {delay} s" if delay else "at once"
        )
        assert kept.slot.processes() == [] or not delay
        kept.turn(delay)
    kept.turn(1000)
    kept.end(kept.process)
