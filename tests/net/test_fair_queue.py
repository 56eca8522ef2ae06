"""The queue of a listener that is behind, against a plain model of it."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from namewarden.net.fair_queue import FairQueue


def put_all(queue, asked):
    return sum(not queue.put(client, (client, number)) for number, client in enumerate(asked))


def take_all(queue):
    return [queue.take() for _ in range(len(queue))]


def test_clients_take_turns_and_each_is_served_in_its_order():
    queue = FairQueue(10)
    assert put_all(queue, "aaabbc") == 0
    assert [client for client, _ in take_all(queue)] == ["a", "b", "c", "a", "b", "a"]
    assert len(queue) == 0


def test_a_flood_gives_up_its_own_oldest():
    queue = FairQueue(4)
    assert put_all(queue, "aaaaaabb") == 4
    assert take_all(queue) == [("a", 4), ("b", 6), ("a", 5), ("b", 7)]


@given(st.integers(1, 8), st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=80))
def test_it_is_bounded_and_only_who_has_the_most_loses(most, steps):
    queue, kept = FairQueue(most), Counter()
    for number, (client, also_take) in enumerate(steps):
        kept[client] += 1
        is_kept = queue.put(client, (client, number))
        assert is_kept == (sum(kept.values()) <= most)
        if not is_kept:
            left = Counter(client for client, _ in _peeked(queue))
            (loser,) = (kept - left).elements()
            assert kept[loser] == max(kept.values())
            kept = left
        if also_take:
            kept[queue.take()[0]] -= 1
        assert len(queue) == sum(kept.values()) <= most
    numbers = {}
    for client, number in take_all(queue):
        assert numbers.get(client, -1) < number
        numbers[client] = number


def _peeked(queue):
    return [item for items in queue._clients.values() for item in items]
