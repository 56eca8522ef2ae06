"""What is given up at once and freed a little at a time: a full packet cache takes 50 ms, and holds every query up."""

from collections import deque
from typing import Any


class Waste:
    """`add` whole dicts, `sweep` as often as there is a moment."""

    def __init__(self) -> None:
        self._heaps: deque[dict[Any, Any]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._heaps))

    def add(self, *heaps: dict[Any, Any]) -> None:
        """From now on nobody else may use them."""
        self._heaps.extend(heaps)

    def sweep(self, most: int) -> None:
        """Free so many entries at most."""
        while self._heaps and most > 0:
            heap = self._heaps[0]
            for _ in range(min(most, len(heap))):
                heap.popitem()
                most -= 1
            if not heap:
                self._heaps.popleft()
