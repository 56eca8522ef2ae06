"""Random numbers that nobody can guess, fetched by the page: a call of the system for each costs thirty times as much.

The first page is fetched with the first number, so processes that fork before they ask share none.
"""

import os
from collections.abc import Iterator
from typing import Literal

PAGE = 4096  # octets


def unguessable(size: Literal["H", "Q"] = "H") -> Iterator[int]:
    """16 bits at a time, or 64."""
    while True:
        yield from memoryview(os.urandom(PAGE)).cast(size)
