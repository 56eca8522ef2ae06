"""What is given up is freed, in pieces."""

import weakref

from namewarden.net.waste import Waste


class Thing:
    pass


def test_what_is_given_up_is_freed_piece_by_piece():
    things = [Thing() for _ in range(10)]
    left = weakref.WeakSet(things)
    waste = Waste()
    waste.add(dict(enumerate(things[:4])), {}, dict(enumerate(things[4:])))
    things.clear()
    sizes = []
    while len(waste):
        waste.sweep(3)
        sizes.append((len(waste), len(left)))
    assert sizes == [(7, 7), (4, 4), (1, 1), (0, 0)]
    waste.sweep(3)
