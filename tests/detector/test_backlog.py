"""The backlog in virtual time: a scorer of fixed cost, offered more than it can do."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.detector.backlog import BATCH, Backlog

COST = 25e-6  # seconds a name
DEADLINE = 0.05
CAPACITY = 1 / COST


def run(asked, cost=COST, seconds=1.0, deadline=DEADLINE):
    """`asked` gives (time, name, client), rising. → (names scored in time, by client; those turned away or late)."""
    backlog = Backlog(4096, deadline)
    begun, of, missed = {}, {}, set()
    in_time, free = Counter(), 0.0

    def work(until):
        nonlocal free
        while free <= until and len(backlog):
            names = backlog.take(free)
            took = len(names) * cost
            backlog.took(len(names), took)
            free += took
            late = {name for name in names if free > begun[name] + deadline}
            missed.update(late)
            in_time.update(of[name] for name in names if name not in late)
        free = max(free, until)

    for now, name, client in asked:
        work(now)
        begun[name], of[name] = now, client
        missed.update(backlog.add(name, client, now))
    work(seconds)
    return in_time, Counter(of[name] for name in missed)


def flood(client, rate, begin=0.0, seconds=1.0):
    return [
        (begin + number / rate, f"{client!r}{number}", client)
        for number in range(int(rate * (seconds - begin)))
    ]


@pytest.mark.parametrize("cost", [COST, 20 * COST, 200 * COST], ids=["as ours", "slow", "slower"])
def test_offered_three_times_what_can_be_done_nine_tenths_of_it_are_scored_in_time(cost):
    capacity = 1 / cost
    light = flood(b"light", capacity / 100, begin=0.1)
    in_time, missed = run(sorted([*flood(b"heavy", 3 * capacity), *light]), cost)
    assert sum(in_time.values()) >= 0.9 * capacity
    assert missed[b"light"] == 0 and in_time[b"light"] >= len(light) - 1


def test_a_flood_of_many_clients_is_shared_out_too():
    heavy = [flood(bytes([number]), CAPACITY / 10) for number in range(30)]
    light = flood(b"light", CAPACITY / 100, begin=0.1)
    in_time, missed = run(sorted([*light, *(each for one in heavy for each in one)]))
    assert sum(in_time.values()) >= 0.9 * CAPACITY
    assert missed[b"light"] == 0
    shares = [in_time[bytes([number])] for number in range(30)]
    assert min(shares) > 0.8 * max(shares)


def test_what_can_be_done_is_not_turned_away():
    in_time, missed = run(flood(b"one", 0.8 * CAPACITY))
    assert not missed and in_time[b"one"] > 0.79 * CAPACITY


def test_each_clients_newest_in_turn():
    backlog = Backlog(100, DEADLINE)
    for number in range(4):
        backlog.add(f"a{number}", b"a", 0.0)
    backlog.add("b0", b"b", 0.0)
    backlog.add("c0", b"c", 0.0)
    assert backlog.take(0.0) == ["a3", "b0", "c0", "a2", "a1", "a0"]


def test_the_client_with_the_most_gives_up_its_oldest():
    backlog = Backlog(3, DEADLINE)
    added = [("a0", b"a"), ("a1", b"a"), ("b0", b"b"), ("c0", b"c"), ("a2", b"a")]
    assert [backlog.add(name, client, 0.0) for name, client in added] == [
        [], [], [], ["a0"], ["a1"],
    ]  # fmt: skip
    assert sorted(backlog.take(0.0)) == ["a2", "b0", "c0"]


def test_a_name_that_another_waits_for_stays():
    backlog = Backlog(2, DEADLINE)
    for name, client in (("shared", b"a"), ("shared", b"b"), ("a1", b"a")):
        assert backlog.add(name, client, 0.0) == []
    assert backlog.add("a2", b"a", 0.0) == ["a1"]
    assert backlog.take(0.0) == ["a2", "shared"]
    assert backlog.take(0.0) == []


def test_what_nobody_waits_for_is_not_scored():
    backlog = Backlog(100, DEADLINE)
    backlog.add("old", b"a", 0.0)
    backlog.add("left", b"a", 0.04)
    backlog.add("new", b"b", 0.04)
    backlog.remove("left")
    backlog.remove("unknown")
    assert backlog.take(0.06) == ["new"]


def test_who_asks_again_waits_longer():
    backlog = Backlog(100, DEADLINE)
    backlog.add("name", b"a", 0.0)
    backlog.add("name", b"a", 0.04)
    assert backlog.take(0.06) == ["name"]


def test_room_follows_the_measured_rate():
    backlog = Backlog(4096, DEADLINE)
    assert (backlog.room, backlog.batch) == (4096, BATCH)
    backlog.took(3, 1e-3)  # says nothing of what can be done
    assert backlog.room == 4096
    backlog.took(BATCH, BATCH * 1e-3)
    assert (backlog.room, backlog.batch) == (25, 6)
    backlog.took(6, 6 * 10.0)
    assert (backlog.room, backlog.batch) == (1, 1)


steps = st.lists(
    st.tuples(st.sampled_from(["add", "take", "remove"]), st.integers(0, 12), st.integers(0, 3)),
    max_size=60,
)


@given(steps, st.integers(1, 6))
def test_every_name_is_taken_given_up_or_removed_once(steps, most):
    backlog, inside = Backlog(most, DEADLINE), set()
    for what, name, client in steps:
        if what == "add":
            inside.add(f"{name}")
            gone = backlog.add(f"{name}", bytes([client]), 0.0)
        elif what == "take":
            gone = backlog.take(0.0)
        else:
            backlog.remove(f"{name}")
            gone = [f"{name}"] if f"{name}" in inside else []
        assert set(gone) <= inside
        inside -= set(gone)
        assert len(backlog) == len(inside) <= most
    while inside:
        inside -= set(backlog.take(0.0))
    assert len(backlog) == 0
