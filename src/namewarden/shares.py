"""Who has the most waiting, known at once however many have something. Counterparts: `detector/backlog.py` and
`net/fair_queue.py`, which make room at the cost of that one."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Shares(Generic[Key]):
    """Keys by how much each has."""

    def __init__(self) -> None:
        self._by_size: list[dict[Key, None]] = [{}]

    def resize(self, key: Key, before: int, now: int) -> None:
        """`key` had `before` and has `now`, one more or one less; 0 = nothing."""
        sizes = self._by_size
        sizes[before].pop(key, None)
        if now == len(sizes):
            sizes.append({})
        if now:
            sizes[now][key] = None
        while len(sizes) > 1 and not sizes[-1]:
            sizes.pop()

    def largest(self) -> Key:
        """One that has as much as any; there is one."""
        return next(iter(self._by_size[-1]))
