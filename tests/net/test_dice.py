"""Numbers that nobody can guess, by the page."""

from namewarden.net.dice import PAGE, unguessable


def test_ids_go_on_beyond_a_page_and_are_those_of_nobody_else():
    one, other = unguessable(), unguessable()
    drawn = [next(one) for _ in range(3 * PAGE)]
    assert 0 <= min(drawn) and max(drawn) < 65536
    assert len(set(drawn)) > 0.85 * len(drawn)  # 91 % are expected where all are equally likely
    assert [next(other) for _ in range(100)] != drawn[:100]


def test_there_are_longer_ones():
    drawn = [next(each) for each in [unguessable("Q")] for _ in range(1000)]
    assert len(set(drawn)) == 1000 and max(drawn) > 1 << 60
